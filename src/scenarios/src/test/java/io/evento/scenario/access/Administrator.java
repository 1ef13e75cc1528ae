package io.evento.scenario.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Credential;
import io.evento.scenario.fixture.Door;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

/** Who lets others in, at the first node of a cluster that asks for credentials. */
public final class Administrator {
  public static final String PASSWORD = "a long enough one";
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final Door door;
  private final Credential self;

  private Administrator(Door door, Credential self) {
    this.door = door;
    this.self = self;
  }

  /** The first one, {@code root}; makes it by the code that a node wrote, unless it is there. */
  public static Administrator first(Cluster cluster) throws Exception {
    var door = cluster.door(cluster.node(1));
    if (!isThere(cluster)) {
      await().atMost(LIMIT).until(() -> cluster.setupCode().isPresent());
      var code = cluster.setupCode().orElseThrow();
      assertThat(setUp(door, "guess", "eve").status()).isEqualTo(403);
      assertThat(setUp(door, code, "root").status()).isEqualTo(201);
      assertThat(setUp(door, code, "eve").code()).isEqualTo("conflict");
    }
    return new Administrator(door, signIn(door, "root"));
  }

  private static boolean isThere(Cluster cluster) throws SQLException {
    try (var connection = cluster.administrator();
        var statement = connection.createStatement();
        var row = statement.executeQuery("select from evento.principal where name = 'root'")) {
      return row.next();
    }
  }

  private static Answer setUp(Door door, String code, String name) throws InterruptedException {
    return Credential.NONE.ask(
        door,
        "POST",
        "setup",
        "{\"code\":\"%s\",\"name\":\"%s\",\"password\":\"%s\"}".formatted(code, name, PASSWORD));
  }

  public static Answer tryToSignIn(Door door, String name, String password, String address)
      throws InterruptedException {
    return Credential.NONE.askFrom(
        address,
        door,
        "POST",
        "session",
        "{\"name\":\"%s\",\"password\":\"%s\"}".formatted(name, password));
  }

  public static Credential signIn(Door door, String name) throws InterruptedException {
    var answer = tryToSignIn(door, name, PASSWORD, Credential.address());
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    var cookie = answer.headers().firstValue("Set-Cookie").orElseThrow();
    assertThat(cookie)
        .startsWith("__Host-evento=")
        .contains("; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict");
    return Credential.session(
        name,
        cookie.substring(cookie.indexOf('=') + 1, cookie.indexOf(';')),
        answer.body().path("csrf").asText());
  }

  public Credential self() {
    return self;
  }

  /** A new person, signed in at a node. */
  public Credential person(String name, String role, Door at) throws InterruptedException {
    var made =
        self.ask(
            door,
            "POST",
            "users",
            "{\"name\":\"%s\",\"roles\":[\"%s\"],\"password\":\"%s\"}"
                .formatted(name, role, PASSWORD));
    assertThat(made.status()).as("%s", made.body()).isEqualTo(201);
    return signIn(at, name);
  }

  public static String scope(String right, String context, String type) {
    return "{\"right\":\"%s\",\"context\":\"%s\",\"type\":\"%s\"}".formatted(right, context, type);
  }

  /**
   * A new token of a bundle.
   *
   * @param scopes each by {@link #scope}
   */
  Credential token(String bundle, String... scopes) throws InterruptedException {
    return Credential.token(bundle, make(bundle, "", scopes).path("token").asText());
  }

  /**
   * The same as it was answered.
   *
   * @param validFor an ISO 8601 duration, empty for ever
   */
  public JsonNode make(String bundle, String validFor, String... scopes)
      throws InterruptedException {
    var valid = validFor.isEmpty() ? "" : ",\"validFor\":\"" + validFor + "\"";
    var made =
        self.ask(
            door,
            "POST",
            "tokens",
            "{\"bundle\":\"%s\",\"scopes\":[%s]%s}"
                .formatted(bundle, String.join(",", List.of(scopes)), valid));
    assertThat(made.status()).as("%s", made.body()).isEqualTo(201);
    return made.body();
  }

  /**
   * Revokes a token.
   *
   * @param prefix as its answer had it
   */
  void revoke(String prefix) throws InterruptedException {
    assertThat(self.ask(door, "DELETE", "tokens/" + prefix, "").status()).isEqualTo(204);
  }
}
