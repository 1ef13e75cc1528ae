package io.evento.server.gateway.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.Threads;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.server.security.OpenMode;
import io.evento.server.security.Role;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which requests a session answers for, which keep it, and which are the page's own. */
class CredentialsTest {
  private static final String CSRF = "what the page knows";

  private final Threads threads = new Threads(Thread::new);
  private TestDatabase where;
  private Database database;
  private Noting grants;

  @BeforeEach
  void open() {
    where = PostgresFixture.shared().migrated();
    var config = NodeConfig.of(where, "a");
    database = new Database(config);
    grants = new Noting(database, threads, new OpenMode(config));
  }

  @AfterEach
  void close() {
    threads.stop();
    database.close();
    where.close();
  }

  /** Knows one session, and notes for what it was looked up. */
  private static final class Noting extends Grants {
    private @Nullable Boolean wasAct;
    private boolean hasEnded;
    private boolean isFresh = true;

    Noting(Database database, Threads threads, OpenMode mode) {
      super(database, threads, mode);
    }

    @Override
    public boolean isFresh() {
      return isFresh;
    }

    @Override
    public Optional<Session> session(String cookie, String address, boolean isAct) {
      wasAct = isAct;
      if (hasEnded) {
        return Optional.empty();
      }
      return Optional.of(
          new Session(
              new Caller(
                  Caller.Kind.USER,
                  "ada",
                  Set.of(Role.VIEWER),
                  List.of(),
                  UUID.randomUUID(),
                  address),
              CSRF));
    }
  }

  private static HttpServletRequest request(
      String method, String path, Map<String, String> headers) {
    return (HttpServletRequest)
        Proxy.newProxyInstance(
            HttpServletRequest.class.getClassLoader(),
            new Class<?>[] {HttpServletRequest.class},
            (self, called, given) ->
                switch (called.getName()) {
                  case "getMethod" -> method;
                  case "getRequestURI" -> "/evento" + path;
                  case "getContextPath" -> "/evento";
                  case "getCookies" -> new Cookie[] {new Cookie(Credentials.COOKIE, "x")};
                  case "getHeader" -> headers.get((String) given[0]);
                  default -> throw new UnsupportedOperationException(called.getName());
                });
  }

  private Optional<Caller> read(
      String method, String path, Map<String, String> headers, boolean isOpenDoor) {
    return new Credentials(grants).read(request(method, path, headers), "test", isOpenDoor);
  }

  private void isRefused(ErrorCode code, String method, Map<String, String> headers) {
    assertThatThrownBy(() -> read(method, "/api/nodes", headers, false))
        .isInstanceOfSatisfying(
            EventoException.class, refused -> assertThat(refused.code()).isEqualTo(code));
  }

  private boolean isAct(String method, String path, Map<String, String> more) {
    var headers = new HashMap<>(more);
    headers.put(Credentials.CSRF, CSRF);
    assertThat(read(method, path, headers, false)).isPresent();
    return Boolean.TRUE.equals(grants.wasAct);
  }

  @Test
  void what_a_person_asks_for_or_changes_keeps_the_session() {
    assertThat(isAct("GET", "/api/nodes", Map.of())).isTrue();
    assertThat(isAct("POST", "/api/consumers/a/1/pause", Map.of())).isTrue();
    assertThat(isAct("POST", "/api/consumers/a/1/pause", Map.of(Credentials.BACKGROUND, "1")))
        .isTrue();
  }

  @Test
  void what_a_page_asks_for_by_itself_does_not() {
    assertThat(isAct("GET", "/api/nodes", Map.of(Credentials.BACKGROUND, "1"))).isFalse();
    assertThat(isAct("GET", "/api/live", Map.of())).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"POST", "PUT", "PATCH", "DELETE"})
  void the_cookie_alone_changes_nothing(String method) {
    isRefused(ErrorCode.FORBIDDEN, method, Map.of());
    isRefused(ErrorCode.FORBIDDEN, method, Map.of(Credentials.CSRF, "what another page knows"));
    isRefused(ErrorCode.FORBIDDEN, method, Map.of(Credentials.CSRF, ""));
    assertThat(read(method, "/api/nodes", Map.of(Credentials.CSRF, CSRF), false)).isPresent();
  }

  @Test
  void two_credentials_are_none() {
    isRefused(ErrorCode.INVALID_REQUEST, "GET", Map.of("Authorization", "Bearer evt_a_b"));
  }

  @Test
  void a_session_that_is_over_is_refused_but_at_a_door_that_needs_none() {
    grants.hasEnded = true;
    isRefused(ErrorCode.UNAUTHENTICATED, "GET", Map.of());
    assertThat(read("POST", "/api/session", Map.of(), true)).isEmpty();
  }

  /** Or nobody could ask for the health of a node that lost its database. */
  @Test
  void a_door_that_needs_no_session_is_open_while_sessions_cannot_be_read() {
    grants.isFresh = false;
    assertThat(read("GET", "/api/health/live", Map.of(), true)).isEmpty();
    assertThat(grants.wasAct).as("nobody looked for the session").isNull();
  }
}
