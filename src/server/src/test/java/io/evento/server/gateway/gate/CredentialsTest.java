package io.evento.server.gateway.gate;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which requests keep a session, and which are the page's own. */
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

    Noting(Database database, Threads threads, OpenMode mode) {
      super(database, threads, mode);
    }

    @Override
    public Optional<Session> session(String cookie, String address, boolean isAct) {
      wasAct = isAct;
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

  private boolean isAct(String method, String path, boolean background) {
    var request =
        (HttpServletRequest)
            Proxy.newProxyInstance(
                HttpServletRequest.class.getClassLoader(),
                new Class<?>[] {HttpServletRequest.class},
                (self, called, given) ->
                    switch (called.getName()) {
                      case "getMethod" -> method;
                      case "getRequestURI" -> "/evento" + path;
                      case "getContextPath" -> "/evento";
                      case "getCookies" -> new Cookie[] {new Cookie(Credentials.COOKIE, "x")};
                      case "getHeader" ->
                          Credentials.CSRF.equals(given[0])
                              ? CSRF
                              : Credentials.BACKGROUND.equals(given[0]) && background ? "1" : null;
                      default -> throw new UnsupportedOperationException(called.getName());
                    });
    assertThat(new Credentials(grants).read(request, "test", false)).isPresent();
    return Boolean.TRUE.equals(grants.wasAct);
  }

  @Test
  void what_a_person_asks_for_or_changes_keeps_the_session() {
    assertThat(isAct("GET", "/api/nodes", false)).isTrue();
    assertThat(isAct("POST", "/api/consumers/a/1/pause", false)).isTrue();
    assertThat(isAct("POST", "/api/consumers/a/1/pause", true)).isTrue();
  }

  @Test
  void what_a_page_asks_for_by_itself_does_not() {
    assertThat(isAct("GET", "/api/nodes", true)).isFalse();
    assertThat(isAct("GET", "/api/live", false)).isFalse();
  }
}
