package io.evento.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.EventoBundle;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import org.jboss.arquillian.container.test.api.Deployment;
import org.jboss.arquillian.junit5.container.annotation.ArquillianTest;
import org.jboss.arquillian.test.api.ArquillianResource;
import org.jboss.shrinkwrap.api.ShrinkWrap;
import org.jboss.shrinkwrap.api.spec.WebArchive;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@Order(2)
@ExtendWith(MicroDatabase.class)
@ArquillianTest
@SuppressWarnings("NullAway.Init") // filled by Arquillian
class MicroIT {

  private static final Duration START_MAX = Duration.ofSeconds(60);

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  @ArquillianResource private URL root;

  @Deployment(testable = false)
  static WebArchive the_built_war_and_a_thief_of_timers() {
    return ShrinkWrap.createFromZipFile(WebArchive.class, new File("target/evento.war"))
        .addClasses(TimerThief.class, TimerThiefServlet.class);
  }

  @BeforeEach
  void the_node_is_ready() {
    await("ready").atMost(START_MAX).until(() -> status("health/ready") == 200);
  }

  @Test
  void the_war_stands_under_its_own_context_root_and_has_started() throws Exception {
    assertThat(root.getPath()).isEqualTo("/evento/");
    assertThat(status("health/started")).isEqualTo(200);
    assertThat(status("health/live")).isEqualTo(200);
    assertThat(get("nodes")).contains("\"self\":\"micro\"").contains("\"state\":\"up\"");
  }

  /** Without it each WebSocket message would cost five times the CPU, and nobody would know why. */
  @Test
  void the_remedy_for_Tyrus_took_hold() throws Exception {
    try (var bundle = EventoBundle.named("micro").connect(webSocket()).start()) {
      assertThat(bundle.isConnected()).isTrue();
      assertThat(get("metrics")).containsPattern("(?m)^evento_ws_tyrus_tuned 1(\\.0)?$");
    }
  }

  @Test
  void a_timer_that_is_taken_away_is_armed_again_and_stood_in_for_meanwhile() throws Exception {
    var rearms = metric("evento_timer_rearms_total");
    // While its pass is under way there is none to take.
    await("a theft")
        .atMost(Duration.ofSeconds(10))
        .until(
            () ->
                http.send(
                        HttpRequest.newBuilder(URI.create(root + "thief")).build(),
                        BodyHandlers.ofString())
                    .body()
                    .equals("1"));
    await("silence").atMost(Duration.ofSeconds(10)).until(() -> timerAge() > 3);
    assertThat(get("health/ready")).contains("\"sinceLastPassMillis\":");
    await("a pass").atMost(Duration.ofSeconds(15)).until(() -> timerAge() < 2);
    // A machine that has much to do may find it lost more than once.
    assertThat(metric("evento_timer_rearms_total")).isGreaterThan(rearms);
    await("the pages know").until(() -> get("nodes").contains("\"timerMillis\":"));
  }

  private double timerAge() throws IOException, InterruptedException {
    return metric("evento_timer_age_seconds");
  }

  private double metric(String name) throws IOException, InterruptedException {
    return get("metrics")
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void a_changed_setting_is_in_force_within_two_seconds_and_taken_back_as_fast() throws Exception {
    var large = "{\"a\":\"" + "x".repeat(2_000) + "\"}";
    assertThat(code(large)).as("at the default").isEqualTo("unknown-type");

    change("PUT", "{\"value\":1024}");
    await("a smaller limit")
        .atMost(Duration.ofSeconds(2))
        .until(() -> code(large), "payload-too-large"::equals);
    assertThat(get("settings/payload.bytes-max")).contains("\"source\":\"cluster\"");

    change("DELETE", "");
    await("the default")
        .atMost(Duration.ofSeconds(2))
        .until(() -> code(large), "unknown-type"::equals);
  }

  private void change(String method, String body) throws IOException, InterruptedException {
    var answer =
        http.send(
            request("settings/payload.bytes-max")
                .header("Content-Type", "application/json")
                .method(
                    method,
                    body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .build(),
            BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
  }

  /** What a command of this payload is told, that nobody ever declared. */
  private String code(String payload) throws IOException, InterruptedException {
    var answer =
        http.send(
                request("commands/Nobody")
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString(payload))
                    .build(),
                BodyHandlers.ofString())
            .body();
    return answer.replaceFirst(".*\"code\":\"([^\"]*)\".*", "$1");
  }

  private int status(String path) throws IOException, InterruptedException {
    return http.send(request(path).build(), BodyHandlers.discarding()).statusCode();
  }

  private String get(String path) throws IOException, InterruptedException {
    return http.send(request(path).build(), BodyHandlers.ofString()).body();
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(root + "api/" + path)).timeout(Duration.ofSeconds(10));
  }

  private String webSocket() {
    return root.toString().replaceFirst("^http", "ws").replaceFirst("/$", "");
  }
}
