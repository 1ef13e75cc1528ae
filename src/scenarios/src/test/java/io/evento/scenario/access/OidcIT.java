package io.evento.scenario.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Credential;
import io.evento.scenario.fixture.Door;
import io.evento.testing.OidcProvider;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Browsers that sign in by a provider, and what its and others' pages make them send. */
@Order(1)
class OidcIT {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final String CALLBACK = "session/oidc/callback";

  @RegisterExtension static final Cluster cluster = Cluster.securedTogether();

  @BeforeEach
  void iris_is_at_the_browser() {
    provider().behave();
    provider().person("s-1", "iris", "ops");
  }

  private static OidcProvider provider() {
    return cluster.provider();
  }

  private static Door door(int node) {
    return cluster.door(cluster.node(node));
  }

  /** A browser on its way to the provider, and what it was given. */
  private record Sent(URI location, String cookie) {}

  private static Sent begin(int node) throws Exception {
    var answer = Credential.NONE.ask(door(node), "GET", "session/oidc", "");
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(303);
    var cookie = answer.headers().firstValue("Set-Cookie").orElseThrow();
    assertThat(cookie)
        .startsWith("__Host-evento-oidc=")
        .contains("; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=600");
    return new Sent(
        URI.create(answer.headers().firstValue("Location").orElseThrow()), value(cookie));
  }

  private static String value(String cookie) {
    return cookie.substring(cookie.indexOf('=') + 1, cookie.indexOf(';'));
  }

  /** As a browser does that a page of the provider sends here. */
  private static Answer comeBack(int node, Sent sent, String query, String... fetch)
      throws Exception {
    var headers =
        new ArrayList<>(
            List.of(
                "Cookie", "__Host-evento-oidc=" + sent.cookie(), "Sec-Fetch-Site", "cross-site"));
    headers.addAll(List.of(fetch));
    return new Credential("browser", headers).ask(door(node), "GET", CALLBACK + "?" + query, "");
  }

  private static Answer comeBack(int node, Sent sent, String query) throws Exception {
    return comeBack(node, sent, query, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document");
  }

  private static String query(Sent sent) {
    return provider().visit(sent.location()).getRawQuery();
  }

  @Test
  void whoever_begins_at_one_node_comes_back_at_another_and_works_at_a_third() throws Exception {
    var sent = begin(1);
    var answer = comeBack(2, sent, query(sent));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    assertThat(answer.body().asText())
        .as("a page that goes on: a redirect would not carry the session's cookie")
        .contains("content=\"0;url=/evento/api/session\"");
    var cookies = answer.headers().allValues("Set-Cookie");
    assertThat(cookies).hasSize(2);
    assertThat(cookies.get(0))
        .startsWith("__Host-evento=")
        .contains("; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict");
    assertThat(cookies.get(1)).startsWith("__Host-evento-oidc=;").contains("; Max-Age=0");
    assertThat(answer.headers().firstValue("Cache-Control")).contains("no-store");

    var session = Credential.session("iris", value(cookies.get(0)), "");
    var who = session.ask(door(3), "GET", "session", "").body();
    assertThat(who.path("name").asText()).isEqualTo("iris");
    assertThat(who.path("roles").toString()).isEqualTo("[\"viewer\",\"operator\"]");
    var working = Credential.session("iris", value(cookies.get(0)), who.path("csrf").asText());
    assertThat(working.ask(door(3), "DELETE", "session", "").status()).isEqualTo(204);
    assertThat(working.ask(door(1), "GET", "session", "").status()).isEqualTo(401);

    assertThat(comeBack(3, sent, query(sent).replaceFirst("code=[^&]*", "code=x")).code())
        .isEqualTo("unauthenticated");
  }

  @Test
  void only_a_window_that_goes_there_comes_in_from_another_site_and_there_alone() throws Exception {
    var sent = begin(1);
    var query = query(sent);
    for (var fetch :
        List.of(
            List.of("Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"),
            List.of("Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"),
            List.of("Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"))) {
      var answer = comeBack(2, sent, query, fetch.toArray(String[]::new));
      assertThat(answer.code()).as("%s", fetch).isEqualTo("forbidden");
      assertThat(answer.body().path("detail").asText()).contains("Sec-Fetch-Site");
    }
    var strangers =
        new Credential(
            "a stranger's page",
            List.of(
                "Sec-Fetch-Site",
                "cross-site",
                "Sec-Fetch-Mode",
                "navigate",
                "Sec-Fetch-Dest",
                "document"));
    for (var path : List.of("session/oidc", "session", "nodes")) {
      assertThat(strangers.ask(door(2), "GET", path, "").code()).as(path).isEqualTo("forbidden");
    }
    assertThat(strangers.ask(door(2), "POST", CALLBACK, "{}").code()).isEqualTo("forbidden");
    assertThat(strangers.ask(door(2), "GET", CALLBACK + "?" + query, "").code())
        .as("a stranger's link in a browser that did not begin")
        .isEqualTo("unauthenticated");
    assertThat(comeBack(2, sent, query).status()).isEqualTo(200);
  }

  @Test
  void who_is_refused_by_the_provider_or_has_no_role_has_no_session() throws Exception {
    var sent = begin(3);
    var query = query(sent);
    var denied = query.replaceFirst("code=[^&]*", "error=access_denied&error_description=%3Cb%3E");
    var answer = comeBack(1, sent, denied);
    assertThat(answer.code()).isEqualTo("unauthenticated");
    assertThat(answer.body().path("detail").asText())
        .isEqualTo("the provider refuses: access_denied");
    assertThat(answer.headers().firstValue("Set-Cookie")).isEmpty();

    provider().person("s-9", "eve", "gardeners");
    var other = comeBack(1, sent, query);
    assertThat(other.status()).isEqualTo(403);
    assertThat(other.headers().firstValue("Set-Cookie")).isEmpty();
  }

  @Test
  void a_provider_that_hangs_holds_up_nobody_else() throws Exception {
    var sent = begin(2);
    var query = query(sent);
    var before = provider().asked("/token");
    provider().hang("/token");
    var asked = System.nanoTime();
    var waiting = new ArrayList<Thread>();
    for (var i = 0; i < 12; i++) {
      var thread =
          new Thread(
              () -> {
                try {
                  comeBack(2, sent, query);
                } catch (Exception unanswered) {
                  throw new IllegalStateException(unanswered);
                }
              });
      thread.start();
      waiting.add(thread);
    }
    await().atMost(LIMIT).until(() -> provider().asked("/token") > before);
    for (var i = 0; i < 20; i++) {
      assertThat(Credential.NONE.ask(door(2), "GET", "health/ready", "").status()).isEqualTo(200);
      assertThat(Credential.NONE.ask(door(2), "GET", "session", "").status()).isEqualTo(401);
    }
    for (var thread : waiting) {
      thread.join(LIMIT.toMillis());
    }
    assertThat(Duration.ofNanos(System.nanoTime() - asked)).isLessThan(Duration.ofSeconds(25));
    provider().behave();
    var again = begin(2);
    assertThat(comeBack(2, again, query(again)).status()).isEqualTo(200);
  }
}
