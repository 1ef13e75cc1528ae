package io.evento.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.ContainerBundle;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The bank as CDI beans in an application server, and in Spring Boot, against one cluster. */
@Tag("another-server")
class ContainerBundlesIT {
  @RegisterExtension static final Cluster cluster = Cluster.running();

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int DEPOSITS = 200;

  private static ContainerBundle cdi;
  private static ContainerBundle spring;

  @BeforeAll
  static void start() throws Exception {
    cdi = ContainerBundle.onPayaraMicro(cluster).start();
    spring = ContainerBundle.onSpringBoot(cluster).start();
    cdi.awaitReady();
    spring.awaitReady();
  }

  @AfterAll
  static void stop() throws Exception {
    cdi.close();
    spring.close();
  }

  private static JsonNode accepted(java.net.http.HttpResponse<String> answer) throws Exception {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return JSON.readTree(answer.body());
  }

  @Test
  void beans_of_cdi_handle_commands_events_and_queries() throws Exception {
    var account = "accounts/" + UUID.randomUUID();

    assertThat(accepted(cdi.post(account + "?owner=Ada")).path("owner").asText()).isEqualTo("Ada");
    accepted(cdi.post(account + "/in?amount=5"));
    var left = accepted(cdi.post(account + "/out?amount=2"));

    assertThat(left.path("balance").asInt()).isEqualTo(3);
    assertThat(accepted(cdi.get(account)).path("deposits").asInt()).isEqualTo(1);
  }

  @Test
  void a_refusal_is_a_problem_at_the_door_of_the_application() throws Exception {
    var account = "accounts/" + UUID.randomUUID();
    accepted(cdi.post(account + "?owner=Ada"));
    var wallet = "wallets/" + UUID.randomUUID();
    accepted(spring.post(wallet + "?owner=Ada"));

    for (var refused :
        List.of(cdi.post(account + "/out?amount=2"), spring.post(wallet + "/out?amount=2"))) {
      assertThat(refused.statusCode()).as(refused.body()).isEqualTo(422);
      assertThat(refused.headers().firstValue("Content-Type").orElse(""))
          .startsWith("application/problem+json");
      assertThat(JSON.readTree(refused.body()).path("code").asText()).isEqualTo("rejected");
      assertThat(refused.body()).contains("not-enough-money");
    }
  }

  @Test
  void a_service_has_interceptors_and_a_request_of_its_own_for_each_command() throws Exception {
    for (var text : List.of("one", "two")) {
      var letter = cdi.post("accounts/Ada/letter?text=" + text);

      assertThat(letter.statusCode()).as(letter.body()).isEqualTo(200);
      assertThat(letter.body()).isEqualTo("Dear Ada,\n" + text);
    }
  }

  @Test
  void components_of_spring_handle_commands_events_and_queries() throws Exception {
    var wallet = "wallets/" + UUID.randomUUID();

    accepted(spring.post(wallet + "?owner=Ada"));
    accepted(spring.post(wallet + "/in?amount=5"));
    var left = accepted(spring.post(wallet + "/out?amount=2"));

    assertThat(left.path("balance").asInt()).isEqualTo(3);
    assertThat(left.path("deposits").asInt()).isEqualTo(1);
  }

  @Test
  void rows_of_jpa_equal_the_store_after_their_process_was_killed() throws Exception {
    var account = UUID.randomUUID().toString();
    var wallet = UUID.randomUUID().toString();
    accepted(cdi.post("accounts/" + account + "?owner=Ada"));
    accepted(spring.post("wallets/" + wallet + "?owner=Ada"));

    for (var number = 1; number <= DEPOSITS; number++) {
      deposit("PayIn", Map.of("accountId", account, "amount", number));
      deposit("PutIn", Map.of("walletId", wallet, "amount", number));
      if (number == DEPOSITS / 2) {
        // While events of the last commands are on their way to both.
        cdi.kill();
        spring.kill();
        cdi.start();
        spring.start();
      }
    }

    cdi.awaitReady();
    spring.awaitReady();
    isWhole(cdi, "accounts/" + account);
    isWhole(spring, "wallets/" + wallet);
  }

  /** Until it is acknowledged, under one id. */
  private static void deposit(String type, Map<String, ?> payload) {
    var id = UUID.randomUUID();
    await()
        .atMost(Duration.ofSeconds(120))
        .pollInterval(Duration.ofMillis(5))
        .until(() -> cluster.doors().get(0).command(type, id, payload).isSuccess());
  }

  private static void isWhole(ContainerBundle bundle, String path) {
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () -> {
              var row = accepted(bundle.get(path));
              assertThat(row.path("deposits").asInt()).isEqualTo(DEPOSITS);
              assertThat(row.path("balance").asInt()).isEqualTo(DEPOSITS * (DEPOSITS + 1) / 2);
            });
  }
}
