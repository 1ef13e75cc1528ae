package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.launcher.Member;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.CheckpointWatch;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Wire;
import io.evento.scenario.workload.MoneyWatch;
import io.evento.scenario.workload.TransferAssert;
import io.evento.scenario.workload.TransferBooks;
import io.evento.scenario.workload.TransferLoad;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What an owner says or writes after its segment went to somebody else: an acknowledgement, a step
 * of a saga, the transaction of a projector; by real processes that were frozen meanwhile, and
 * after segments were split.
 */
@Tag("I5")
class FencedOwnerIT {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** Beyond a lease of five seconds, and beyond the silence after which a session is given up. */
  private static final Duration FREEZE = Duration.ofSeconds(9);

  private static final int TRANSFERS_PER_SECOND = 20;

  private static final String FENCED = "evento_consumer_fenced_total{";
  private static final String LOSSES = "evento_lease_losses_total{";

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private final String suffix = UUID.randomUUID().toString().substring(0, 8);

  @BeforeEach
  void everybody_is_back() throws InterruptedException {
    for (var node : cluster.nodes()) {
      node.resume();
      cluster.awaitReady(node);
    }
  }

  @Test
  void a_late_acknowledgement_is_dropped_and_counted_also_after_a_split() throws Exception {
    var node = cluster.node(1);
    var consumer = "late-acks-" + suffix;
    var account = Bank.account(cluster);
    try (var wire = Wire.open(cluster, node)) {
      declare(wire, "projector", consumer);
      wire.send(credit(enabled(wire, consumer)).toString());
      for (var action : List.of("release", "split")) {
        account.deposit(node, 1);
        var events = withEvents(wire, consumer);
        var before = checkpoint(consumer);
        assertThat(before).isLessThan(events.path("upTo").asLong());
        operate(node, consumer, events.path("segment").asInt(), action);
        // Until each segment is given anew: from then on the older fence is over.
        var given = new TreeMap<Integer, JsonNode>();
        while (given.size() < segments(consumer)) {
          var enabled = enabled(wire, consumer);
          given.put(enabled.path("segment").asInt(), enabled);
        }
        var counted = metric(node, FENCED);

        wire.send(ack(events).toString());
        await("counted").atMost(PATIENCE).until(() -> metric(node, FENCED) > counted);
        assertThat(checkpoint(consumer)).as("after the late one").isEqualTo(before);

        // Its successor is given the same once more, and is believed.
        for (var enabled : given.values()) {
          wire.send(credit(enabled).toString());
        }
        var again = withEvents(wire, consumer);
        assertThat(again.path("events")).isEqualTo(events.path("events"));
        wire.send(ack(again).toString());
        await("acknowledged")
            .atMost(PATIENCE)
            .until(() -> checkpoint(consumer) >= again.path("upTo").asLong());
      }
    }
  }

  @Test
  void a_step_that_a_frozen_node_was_sent_before_it_woke_leads_to_nothing() throws Exception {
    var frozen = cluster.node(2);
    var successor = cluster.node(3);
    var saga = "late-steps-" + suffix;
    var key = "walk-" + suffix;
    var source = Bank.account(cluster);
    var target = Bank.account(cluster);
    try (var late = Wire.open(cluster, frozen)) {
      declare(late, "saga", saga);
      late.send(credit(enabled(late, saga)).toString());
      deposit(source, key);
      var asked = withSteps(late, saga, any -> true);
      var counted = metric(frozen, LOSSES) + metric(frozen, FENCED);
      frozen.pause();
      try (var wire = Wire.open(cluster, successor)) {
        declare(wire, "saga", saga);
        var again = withSteps(wire, saga, any -> true);
        assertThat(again.path("inputs")).isEqualTo(asked.path("inputs"));
        wire.send(stepped(again, "successor", target, 7).toString());
        await("the successor's command took effect")
            .atMost(PATIENCE)
            .until(() -> target.story(successor).contains("MoneyDeposited 7"));

        // It lies in the frozen node's socket, to be heard when that one wakes.
        late.send(stepped(asked, "late", target, 9).toString());
        frozen.resume();
        await("the node that woke gives up")
            .atMost(PATIENCE)
            .until(() -> metric(frozen, LOSSES) + metric(frozen, FENCED) > counted);
        late.close();

        deposit(source, key);
        var next =
            withSteps(
                wire,
                saga,
                steps -> steps.path("states").toString().contains("\"who\":\"successor\""));
        assertThat(next.path("states")).hasSize(1);
      } finally {
        frozen.resume();
      }
    }
    assertThat(target.story(successor)).contains("MoneyDeposited 7").doesNotContain("Deposited 9");
    assertThat(state(saga)).contains("successor").doesNotContain("late");
  }

  @Test
  void a_bank_that_slept_beyond_its_leases_changes_nothing_when_it_wakes() throws Exception {
    var seed = new Random().nextLong();
    var sleeper = cluster.bundles().get(0);
    var witness = cluster.node(1);
    try (var money = new MoneyWatch(cluster);
        var checkpoints = new CheckpointWatch(cluster);
        var load = TransferLoad.over(cluster, seed, TRANSFERS_PER_SECOND)) {
      awaitTransfers(load, 40);
      var fences = fences("accounts");
      sleeper.pause();
      try {
        // The length of the sleep is the fault itself.
        await().pollDelay(FREEZE).atMost(FREEZE.plusSeconds(5)).until(() -> true);
        assertThat(fences("accounts")).as("who has them now").isGreaterThan(fences);
        operate(witness, "accounts", segment("accounts"), "split");
        operate(witness, "transfer", segment("transfer"), "split");
        awaitTransfers(load, load.accepted().size() + 20);
      } finally {
        sleeper.resume();
      }
      awaitTransfers(load, load.accepted().size() + 60);
      load.stop();
      var story = "seed=" + seed;
      TransferAssert.assertThat(new TransferBooks(cluster, load.prefix()), load, story)
          .surprisedNobody()
          .endedEachTransferOnceAndInTime()
          .movedMoneyAndKeptStatesAsIfNothingHadBeen()
          .projectsWhatIsStored();
      assertThat(money.broken()).as(story).isEmpty();
      assertThat(checkpoints.broken()).as(story).isEmpty();
      assertThat(checkpoints.looks()).isPositive();
    }
  }

  private static void awaitTransfers(TransferLoad load, int count) {
    await("transfers").atMost(PATIENCE).until(() -> load.accepted().size() >= count);
  }

  // ---- a bundle spoken by hand

  private static void declare(Wire wire, String kind, String name) throws Exception {
    var declare = Wire.message("declare").put("id", UUID.randomUUID().toString());
    var component = declare.putArray("components").addObject();
    component.put("kind", kind).put("name", name).put("version", 1).put("context", "bank");
    component.putArray("events").addObject().put("type", "MoneyDeposited");
    var consumes = component.putObject("consumes").put("start", "end").put("segments", 1);
    consumes.putArray("contexts").add("bank");
    consumes.putArray("types").add("MoneyDeposited");
    if (kind.equals("saga")) {
      consumes.putObject("associations").put("MoneyDeposited", "/reference");
    }
    assertThat(wire.ask(declare).path("t").asText()).isEqualTo("result");
  }

  private static JsonNode enabled(Wire wire, String consumer) throws InterruptedException {
    return wire.next(message -> isOf(message, "enable", consumer));
  }

  private static JsonNode withEvents(Wire wire, String consumer) throws Exception {
    return next(
        wire,
        consumer,
        message -> isOf(message, "events", consumer) && !message.path("events").isEmpty());
  }

  private static JsonNode withSteps(Wire wire, String saga, Predicate<JsonNode> wanted)
      throws Exception {
    while (true) {
      var steps = next(wire, saga, message -> isOf(message, "steps", saga));
      if (wanted.test(steps)) {
        return steps;
      }
      // What its own command led to is of the saga's kind too, and comes first.
      wire.send(nothing(steps).toString());
    }
  }

  /** The next message that is like this; whatever segment is given meanwhile is taken. */
  private static JsonNode next(Wire wire, String consumer, Predicate<JsonNode> wanted)
      throws Exception {
    while (true) {
      var message = wire.next(any -> isOf(any, "enable", consumer) || wanted.test(any));
      if (wanted.test(message)) {
        return message;
      }
      wire.send(credit(message).toString());
    }
  }

  private static boolean isOf(JsonNode message, String kind, String consumer) {
    return message.path("t").asText().equals(kind)
        && message.path("consumer").asText().equals(consumer + ":1");
  }

  /** Of the same segment under the same fence as what was heard. */
  private static ObjectNode about(String kind, JsonNode heard) {
    return Wire.message(kind)
        .put("consumer", heard.path("consumer").asText())
        .put("segment", heard.path("segment").asInt())
        .put("fence", heard.path("fence").asLong());
  }

  private static ObjectNode credit(JsonNode enabled) {
    return about("credit", enabled).put("events", 16);
  }

  private static ObjectNode ack(JsonNode events) {
    return about("ack", events)
        .put("epoch", events.path("epoch").asText())
        .put("position", events.path("upTo").asLong());
  }

  /** Says who decided, and sends as much money as nobody else does. */
  private static ObjectNode stepped(JsonNode steps, String who, Bank target, long amount) {
    var answer = about("stepped", steps).put("batch", steps.path("batch").asLong());
    var results = answer.putArray("results");
    for (var i = 0; i < steps.path("inputs").size(); i++) {
      var result = results.addObject().put("ended", false);
      result.putObject("state").put("who", who);
      var command = result.putArray("commands").addObject();
      command.put("type", "Deposit").put("hear", false);
      var payload = command.putObject("p").put("accountId", target.account());
      payload.put("amount", amount).put("reference", who);
    }
    return answer;
  }

  /** Decides nothing about what is asked. */
  private static ObjectNode nothing(JsonNode steps) {
    var answer = about("stepped", steps).put("batch", steps.path("batch").asLong());
    var results = answer.putArray("results");
    steps.path("inputs").forEach(any -> results.addObject().put("ended", false));
    return answer;
  }

  private static void deposit(Bank account, String reference) throws InterruptedException {
    var payload = Map.of("accountId", account.account(), "amount", 1, "reference", reference);
    var id = UUID.randomUUID();
    var door = cluster.door(cluster.node(1));
    await("deposit").atMost(PATIENCE).until(() -> door.command("Deposit", id, payload).isSuccess());
  }

  // ---- operators and what they see

  private static void operate(Member node, String consumer, int segment, String action)
      throws InterruptedException {
    var path = "consumers/" + consumer + "/1/segments/" + segment + "/" + action;
    var answer =
        cluster.door(node).send("POST", path, "{}", PATIENCE, "Content-Type", "application/json");
    assertThat(answer.status()).as("%s %s", path, answer.body()).isEqualTo(200);
  }

  private static double metric(Member node, String name) throws InterruptedException {
    var text = cluster.door(node).get("metrics").body().asText();
    return text.lines()
        .filter(line -> line.startsWith(name))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
        .sum();
  }

  // ---- what is stored

  /** The highest of its segments. */
  private static long checkpoint(String consumer) {
    return number("select max(checkpoint) from evento.consumer_segment where name = ?", consumer);
  }

  private static int segments(String consumer) {
    return (int) number("select count(*) from evento.consumer_segment where name = ?", consumer);
  }

  /** One that can be split. */
  private static int segment(String consumer) {
    return (int)
        number(
            """
            select min(segment) from evento.consumer_segment
             where name = ? and first_slot < last_slot
            """,
            consumer);
  }

  /** Grows with each segment that is given to another owner or session. */
  private static long fences(String consumer) {
    return number("select sum(fence) from evento.consumer_segment where name = ?", consumer);
  }

  private static String state(String saga) {
    return text("select state from evento.saga_state where name = ?", saga);
  }

  private static long number(String query, String name) {
    return Long.parseLong(text(query, name));
  }

  private static String text(String query, String name) {
    try (var connection = cluster.postgres().administrator();
        var select = connection.prepareStatement(query)) {
      select.setString(1, name);
      try (var row = select.executeQuery()) {
        row.next();
        return row.getString(1);
      }
    } catch (SQLException failure) {
      throw new IllegalStateException("cannot look into the store", failure);
    }
  }
}
