package io.evento.server.consumer.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.protocol.Rejection;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.SteppingBundle;
import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.delivery.WatermarkListeners.WatermarkAnswer;
import io.evento.server.consumer.segment.Slots;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** From stored events through a saga to commands, their outcomes and deadlines, on real nodes. */
class SagaDeliveryTest {
  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private final List<CommandMessage.Command> sent = new CopyOnWriteArrayList<>();

  @Test
  void a_command_of_a_step_is_sent_and_its_outcome_comes_back_with_the_state() throws Exception {
    var heard = new CopyOnWriteArrayList<String>();
    var node = node("a");
    node.router =
        command ->
            CompletableFuture.failedStage(
                EventoException.rejected(new Rejection("no", "", null), command.id()));
    saga(
        node,
        (input, state) -> {
          var outcome = input.outcome();
          if (outcome != null) {
            heard.add(input.key() + state + outcome.detail());
            return new StepMessage.Result(null, true, List.of(), List.of());
          }
          return SteppingBundle.to("{\"n\":1}", greet(input.key()));
        });
    cluster.append("x");

    await("outcome heard").until(() -> heard.equals(List.of("x{\"n\":1}no")));
    await("nothing left").until(() -> count("evento.consumer_command") == 0);
    await("ended").until(() -> count("evento.saga_state where ended_at is not null") == 1);
  }

  @Test
  void what_passes_by_itself_is_waited_out_under_the_same_id() throws Exception {
    var tries = new AtomicInteger();
    var ids = ConcurrentHashMap.<UUID>newKeySet();
    var heard = new AtomicInteger();
    var node = node("a");
    node.router =
        command -> {
          ids.add(command.id());
          var code =
              List.of(
                      ErrorCode.OVERLOADED,
                      ErrorCode.NO_HANDLER,
                      ErrorCode.UNAVAILABLE,
                      ErrorCode.DEADLINE_EXCEEDED)
                  .get(Math.min(3, tries.get()));
          return tries.getAndIncrement() < 4
              ? CompletableFuture.failedStage(new EventoException(code, "later"))
              : CompletableFuture.completedStage(receipt(command));
        };
    saga(
        node,
        (input, state) -> {
          if (input.outcome() != null) {
            heard.incrementAndGet();
            return SteppingBundle.to("{\"done\":1}");
          }
          return SteppingBundle.to("{}", greet(input.key()));
        });
    cluster.append("x");

    await("outcome heard").atMost(Duration.ofSeconds(20)).until(() -> heard.get() == 1);
    assertThat(ids).hasSize(1);
    assertThat(tries).hasValue(5);
  }

  @Test
  void a_deadline_calls_its_saga_and_one_that_was_taken_back_does_not() throws Exception {
    var heard = new CopyOnWriteArrayList<String>();
    var node = node("a");
    saga(
        node,
        (input, state) -> {
          if (input.due() != null) {
            heard.add(input.key() + input.due().name());
            return new StepMessage.Result(null, true, List.of(), List.of());
          }
          var isFirst = state == null;
          return new StepMessage.Result(
              new Json("{}"),
              false,
              List.of(),
              List.of(
                  new StepMessage.Deadline("hang", isFirst ? 600L : null, null),
                  new StepMessage.Deadline("other", isFirst ? null : 700L, null)));
        });
    cluster.append("x", "y", "y");

    await("deadlines heard").until(() -> heard.size() == 2);
    assertThat(heard).containsExactlyInAnyOrder("xhang", "yother");
    await("nothing left").until(() -> count("evento.scheduled_message") == 0);
  }

  @Test
  void only_the_first_decision_about_an_event_has_effect_though_it_comes_again() throws Exception {
    var decided = new AtomicInteger();
    var node = node("a");
    SteppingBundle.Saga undecided =
        (input, state) ->
            input.outcome() != null
                ? StepMessage.Result.NOTHING
                : SteppingBundle.to(
                    "{\"n\":" + decided.incrementAndGet() + "}",
                    SteppingBundle.command("Greet", "{\"n\":" + decided.get() + "}"));
    saga(node, undecided);
    cluster.append("x", "y", "z");
    await("decided").until(() -> sent.size() == 3 && count("evento.consumer_command") == 0);
    var before = states();

    node.close();
    cluster.execute(
        "update evento.consumer_segment set checkpoint = 0, lease_until = null, owner = null,"
            + " owner_incarnation = null, fence = fence + 1");
    saga(node("b"), undecided);

    await("gone through again")
        .until(() -> count("evento.consumer_segment where checkpoint >= 3") == 4);
    cluster.append("w");
    await("goes on").until(() -> sent.size() == 4);
    assertThat(decided).hasValue(4);
    assertThat(states()).startsWith(before);
  }

  @Test
  void a_step_that_fails_is_tried_again_with_what_stood_before_it_stored() throws Exception {
    var failures = new AtomicInteger();
    var seen = new CopyOnWriteArrayList<String>();
    saga(
        node("a"),
        (input, state) -> {
          if (input.key().equals("bad") && failures.incrementAndGet() < 4) {
            throw new IllegalStateException("not yet");
          }
          seen.add(input.key());
          return SteppingBundle.to("{}");
        });
    cluster.append("a", "bad", "b", "c", "d", "e");

    await("all handled").until(() -> count("evento.saga_state") == 6);
    assertThat(failures).hasValue(4);
    await("note gone").until(() -> count("evento.consumer_segment where status = 'stuck'") == 0);
  }

  @Test
  void steps_of_many_keys_over_two_nodes_one_of_which_dies_each_have_effect_once()
      throws Exception {
    SteppingBundle.Saga counting =
        (input, state) -> {
          var n = state == null ? 0 : Integer.parseInt(state.text());
          return input.outcome() != null
              ? StepMessage.Result.NOTHING
              : SteppingBundle.to(
                  String.valueOf(n + 1), SteppingBundle.command("Greet", "{\"n\":" + n + "}"));
        };
    var first = node("a");
    saga(first, counting);
    saga(node("b"), counting);
    for (var round = 0; round < 50; round++) {
      cluster.append(IntStream.range(0, 20).mapToObj(i -> "k-" + i).toArray(String[]::new));
      if (round == 25) {
        await("under way").until(() -> sent.size() > 50);
        first.close();
      }
    }
    await("all sent")
        .atMost(Duration.ofSeconds(40))
        .until(
            () ->
                count("evento.saga_state where state = '50'") == 20
                    && count("evento.consumer_command") == 0);
    assertThat(sent.stream().map(CommandMessage.Command::id).distinct()).hasSize(1_000);
    assertThat(sent.stream().map(c -> c.id() + c.payload().text()).distinct()).hasSize(1_000);
  }

  /** Whoever waits for a read model would read what does not have the event yet. */
  @Test
  void a_segment_that_is_taken_while_a_step_is_decided_does_not_say_that_it_has_seen_it()
      throws Exception {
    var node = node("a");
    var taken = new AtomicInteger();
    saga(
        node,
        (input, state) -> {
          if (taken.getAndIncrement() == 0) {
            execute("update evento.consumer_segment set fence = fence + 1");
          }
          return SteppingBundle.to("{}");
        });
    await("owned").until(() -> node.deliveries.of("greeting:1", 0, Slots.COUNT - 1).size() > 0);
    cluster.awaitOwned(node.deliveries.of("greeting:1", 0, Slots.COUNT - 1).size());
    var at = cluster.store().at(1);
    var answers =
        node.deliveries.of("greeting:1", 0, Slots.COUNT - 1).stream()
            .filter(delivery -> covers(delivery, Slots.of("x")))
            .map(delivery -> node.deliveries.watermark(delivery, at, null))
            .toList();
    cluster.append("x");

    assertThat(answers).hasSize(1);
    assertThat(answers.get(0).get(20, TimeUnit.SECONDS)).isEqualTo(WatermarkAnswer.NONE);
    await("decided again").until(() -> taken.get() > 1);
  }

  private static boolean covers(Delivery delivery, int slot) {
    var claimed = delivery.lease().claimed();
    return claimed.firstSlot() <= slot && slot <= claimed.lastSlot();
  }

  private static void execute(String statement) {
    try {
      cluster.execute(statement);
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }

  private ConsumerNode node(String name) {
    var node = cluster.node(name);
    node.router =
        command -> {
          sent.add(command);
          return CompletableFuture.completedStage(receipt(command));
        };
    return node;
  }

  private void saga(ConsumerNode node, SteppingBundle.Saga saga) {
    cluster.opened(new SteppingBundle(node, saga).connect());
  }

  private static StepMessage.Send greet(String key) {
    return SteppingBundle.command("Greet", "{\"key\":\"" + key + "\"}");
  }

  private static Receipt receipt(CommandMessage.Command command) {
    return new Receipt(command.id(), null, null, false);
  }

  private static String states() throws SQLException {
    return cluster
        .texts("select string_agg(key || state, ' ' order by born) from evento.saga_state")
        .get(0);
  }

  private static long count(String from) throws SQLException {
    return Long.parseLong(cluster.texts("select count(*) from " + from).get(0));
  }
}
