package io.evento.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.ContainerBundle;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The bank as CDI beans in the application server that the Maven profile names, else Payara Micro,
 * and in Spring Boot, beside the bank that is no WAR.
 */
@Tag("another-server")
class ContainerBundlesIT {
  @RegisterExtension static final Cluster cluster = Cluster.ofOneNode();

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int DEPOSITS = 150;
  private static final int KILLS = 2;
  private static final Duration LOAD_MAX = Duration.ofSeconds(240);

  private static ContainerBundle cdi;
  private static ContainerBundle spring;

  @BeforeAll
  static void start() throws Exception {
    cdi = ContainerBundle.ofCdi(cluster).start();
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
  void rows_of_jpa_equal_the_store_after_their_process_was_killed_under_load() throws Exception {
    var accounts = ids(4);
    var wallets = ids(4);
    for (var account : accounts) {
      accepted(cdi.post("accounts/" + account + "?owner=Ada"));
    }
    for (var wallet : wallets) {
      accepted(spring.post("wallets/" + wallet + "?owner=Ada"));
    }

    var callers = Executors.newFixedThreadPool(accounts.size() + wallets.size());
    var paid = new AtomicInteger();
    try {
      for (var account : accounts) {
        callers.execute(() -> deposits("PayIn", "accountId", account, paid));
      }
      for (var wallet : wallets) {
        callers.execute(() -> deposits("PutIn", "walletId", wallet, paid));
      }
      var all = DEPOSITS * (accounts.size() + wallets.size());
      for (var time = 1; time <= KILLS; time++) {
        var share = all * time / (KILLS + 1);
        await().atMost(LOAD_MAX).until(() -> paid.get() > share);
        cdi.kill();
        spring.kill();
        cdi.start();
        spring.start();
        cdi.awaitReady();
        spring.awaitReady();
      }
      await().atMost(LOAD_MAX).until(() -> paid.get() == all);
    } finally {
      callers.shutdownNow();
    }

    for (var account : accounts) {
      isWhole(cdi, "accounts/" + account, "CdiAccount", account, "PaidIn");
    }
    for (var wallet : wallets) {
      isWhole(spring, "wallets/" + wallet, "Wallet", wallet, "CashPutIn");
    }
  }

  private static List<String> ids(int count) {
    return Stream.generate(() -> UUID.randomUUID().toString()).limit(count).toList();
  }

  /** Each until it is acknowledged, under one id. */
  private static void deposits(String type, String key, String to, AtomicInteger paid) {
    for (var number = 1; number <= DEPOSITS; number++) {
      var id = UUID.randomUUID();
      var payload = Map.of(key, to, "amount", number);
      await()
          .atMost(LOAD_MAX)
          .pollInterval(Duration.ofMillis(5))
          .until(() -> cluster.doors().get(0).command(type, id, payload).isSuccess());
      paid.incrementAndGet();
    }
  }

  private static void isWhole(
      ContainerBundle bundle, String path, String aggregate, String id, String event)
      throws Exception {
    var stored = new ArrayList<Long>();
    var page = cluster.doors().get(0).get("streams/" + aggregate + "/" + id + "?limit=1000");
    for (var one : page.body().path("events")) {
      if (one.path("type").asText().equals(event)) {
        stored.add(one.path("payload").path("amount").asLong());
      }
    }
    assertThat(stored).as("%s", page.body()).hasSize(DEPOSITS);
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () -> {
              var row = accepted(bundle.get(path));
              assertThat(row.path("deposits").asInt()).isEqualTo(stored.size());
              assertThat(row.path("balance").asLong())
                  .isEqualTo(stored.stream().mapToLong(amount -> amount).sum());
            });
  }

  @Test
  void a_component_that_cannot_work_fails_the_deployment_with_a_sentence() throws Exception {
    cdi.refuses(
        with(Idle.class), "Idle has no @CommandHandler: give it one, or do not register it");

    cdi.restore();
  }

  /**
   * @return the account that it made
   */
  private static String used(ContainerBundle bundle) throws Exception {
    var account = UUID.randomUUID().toString();
    accepted(bundle.post("accounts/" + account + "?owner=Ada"));
    accepted(bundle.post("accounts/" + account + "/in?amount=5"));
    return account;
  }

  @Test
  void a_handler_that_ends_the_transaction_itself_is_refused_and_nothing_of_it_is_stored()
      throws Exception {
    cdi.deploy(with(Committing.class, Committing.CdiAccountOpened.class));
    try {
      var account = used(cdi);

      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () -> {
                var letters = cluster.doors().get(0).get("consumers/committing/1/dead-letters");
                assertThat(letters.body().toString()).contains("IllegalStateException");
              });
      assertThat(cdi.get("accounts/committed-" + account).statusCode()).isEqualTo(404);
      assertThat(accepted(cdi.get("accounts/" + account)).path("deposits").asInt()).isEqualTo(1);
    } finally {
      cdi.redeploy();
    }
  }

  /** The application with more classes. */
  private static Path with(Class<?>... classes) throws IOException {
    var war = Path.of("target/containers/with-" + classes[0].getSimpleName() + ".war");
    Files.copy(cdi.war(), war, StandardCopyOption.REPLACE_EXISTING);
    try (var archive = FileSystems.newFileSystem(war)) {
      for (var added : classes) {
        var name = added.getName().replace('.', '/') + ".class";
        try (var bytes = added.getResourceAsStream("/" + name)) {
          var file = archive.getPath("WEB-INF/classes/" + name);
          Files.createDirectories(file.getParent());
          Files.copy(Objects.requireNonNull(bytes), file);
        }
      }
    }
    return war.toAbsolutePath();
  }

  @Test
  void health_knows_the_nodes() throws Exception {
    assertThat(cdi.get("ready").body()).contains("ws://").contains("node-1");
    if (cdi.hasMicroProfileHealth()) {
      var health = JSON.readTree(cdi.outside("/health/ready").body());
      assertThat(health.findValuesAsText("name")).as("%s", health).contains("evento");
      assertThat(health.path("status").asText()).isEqualTo("UP");
    }
    var health = JSON.readTree(spring.outside("/actuator/health").body());
    assertThat(health.at("/components/evento/status").asText()).as("%s", health).isEqualTo("UP");
  }
}
