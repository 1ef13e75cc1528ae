package io.evento.server.consumer.step;

import static io.evento.server.consumer.NotingSaga.asked;
import static io.evento.server.consumer.NotingSaga.greeting;
import static io.evento.server.consumer.NotingSaga.isEvent;
import static io.evento.server.consumer.NotingSaga.noted;
import static io.evento.server.consumer.NotingSaga.of;
import static io.evento.server.consumer.NotingSaga.positions;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.NotingSaga;
import io.evento.server.consumer.SteppingBundle;
import io.evento.server.consumer.operation.DeadLetters.Chosen;
import io.evento.server.consumer.operation.Operations;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Dead letters of sagas and observers are tried again, dropped or reset; on real nodes. */
@Tag("I7")
class StepLetterRetryTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private final NotingSaga saga = new NotingSaga(cluster);

  @Test
  void a_busy_key_goes_live_again_without_being_overtaken() throws Exception {
    saga.poisoned = of("busy");
    var node = saga.node("a");
    saga.host(node, 1);
    var all = new ArrayList<>(cluster.appendRounds(20, "busy", "other"));
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 20);
    var goesOn = new AtomicBoolean(true);
    var writer =
        new Thread(
            () -> {
              try {
                while (goesOn.get()) {
                  all.addAll(cluster.append("busy", "other"));
                  TimeUnit.MILLISECONDS.sleep(25);
                }
              } catch (SQLException | InterruptedException failure) {
                throw new IllegalStateException(failure);
              }
            });
    writer.start();
    saga.poisoned = input -> false;
    node.letters.retry(asked(), new Chosen(null, null), 0);
    try {
      await()
          .atMost(PATIENCE)
          .until(() -> cluster.letters().isEmpty() && saga.noted("busy").size() > 40);
    } finally {
      goesOn.set(false);
      writer.join();
    }
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(cluster.letters()).isEmpty();
              assertThat(saga.states()).containsEntry("busy", noted(positions(all, "busy")));
              assertThat(saga.states()).containsEntry("other", noted(positions(all, "other")));
            });
    assertThat(saga.tried.stream().filter(one -> one.startsWith("busy e")).distinct())
        .hasSize(positions(all, "busy").size());
  }

  @Test
  void a_letter_that_cannot_be_tried_now_is_tried_again_by_itself() throws Exception {
    saga.poisoned = of("bad");
    var node = saga.node("a");
    saga.host(node, 1);
    cluster.append("bad");
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 1);
    saga.poison = new EventoException(ErrorCode.UNAVAILABLE, "no database");
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> saga.tried.stream().filter("bad e1"::equals).count() > 6);
    assertThat(cluster.texts("select attempts::text from evento.dead_letter")).containsExactly("5");
    saga.poisoned = input -> false;
    await().atMost(PATIENCE).until(() -> saga.states().equals(Map.of("bad", "e1")));
    assertThat(cluster.letters()).isEmpty();
  }

  @Test
  void a_letter_that_fails_again_waits_and_its_key_with_it() throws Exception {
    saga.poisoned = of("bad");
    var node = saga.node("a");
    saga.host(node, 1);
    cluster.append("bad", "bad");
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 2);
    saga.poison = new IllegalArgumentException("still");
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(
                        cluster.texts(
                            "select attempts || ' ' || coalesce(cause_group, '') || ' '"
                                + " || coalesce(retry_at::text, 'not asked')"
                                + " from evento.dead_letter order by position"))
                    .containsExactly(
                        "6 java.lang.IllegalArgumentException not asked", "0  not asked"));
    assertThat(saga.states()).isEmpty();
  }

  @Test
  void a_letter_is_not_tried_before_all_up_to_its_event_is_done() throws Exception {
    saga.poisoned = of("Account:bad");
    var node = saga.node("a");
    saga.observe(node);
    cluster.append("bad");
    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(1L)));
    saga.poison = new EventoException(ErrorCode.OVERLOADED, "busy");
    saga.poisoned = of("Account:busy");
    cluster.append("busy", "bad");
    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(1L, 3L)));
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(3L)));
    // A node that died now would have the next one begin with it.
    assertThat(cluster.checkpoints()).containsExactly(1L);
    await()
        .during(Duration.ofMillis(2_500))
        .atMost(PATIENCE)
        .until(() -> cluster.letters().equals(List.of(3L)));
    saga.poisoned = input -> false;
    await().atMost(PATIENCE).until(() -> cluster.letters().isEmpty());
    assertThat(cluster.checkpoints()).containsExactly(3L);
    assertThat(saga.tried.stream().filter("Account:bad e3"::equals)).hasSize(1);
  }

  @Test
  void letters_that_are_tried_while_their_node_dies_have_effect_once() throws Exception {
    saga.decision = input -> greeting(input, true);
    saga.poisoned = input -> input.event() != null;
    var first = saga.node("a");
    saga.host(first, 4);
    var keys = IntStream.range(0, 20).mapToObj(i -> "k-" + i).toArray(String[]::new);
    // So many keys fail, one after the other; most events only wait behind.
    var all = new ArrayList<>(cluster.appendRounds(10, keys));
    await().atMost(Duration.ofSeconds(60)).until(() -> cluster.letters().size() == 200);
    saga.host(saga.node("b"), 4);
    saga.poisoned = input -> false;
    first.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> cluster.letters().size() < 150);
    first.close();
    all.addAll(cluster.append(keys));
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> cluster.letters().isEmpty() && saga.commands().isEmpty());
    for (var key : keys) {
      var events = saga.noted(key).stream().filter(one -> !one.equals("o")).toList();
      assertThat(String.join(" ", events)).isEqualTo(noted(positions(all, key)));
      assertThat(saga.noted(key)).hasSize(22);
    }
    assertThat(saga.sent.stream().map(CommandMessage.Command::id).distinct()).hasSize(220);
    assertThat(saga.sent.stream().map(command -> command.payload().text()).distinct()).hasSize(220);
  }

  @Test
  void a_dropped_outcome_is_gone_and_what_waited_behind_it_runs() throws Exception {
    saga.decision =
        input ->
            isEvent(input, 1)
                ? new StepMessage.Result(
                    null,
                    false,
                    List.of(
                        SteppingBundle.command("Greet", "{\"n\":1}"),
                        SteppingBundle.command("Greet", "{\"n\":2}")),
                    List.of())
                : StepMessage.Result.NOTHING;
    saga.poisoned = of("bad").and(input -> input.outcome() != null);
    var node = saga.node("a");
    saga.host(node, 1);
    cluster.append("bad", "bad");
    await()
        .atMost(PATIENCE)
        .until(() -> cluster.letters().contains(0L) && saga.commands().size() == 2);
    cluster.append("bad");
    await().atMost(PATIENCE).until(() -> cluster.letters().contains(3L));
    saga.poisoned = input -> false;
    var group = new Chosen(null, "java.lang.IllegalStateException");
    node.letters.drop(new Operations.Asked("greeting", 1, null, "test", "bad data", false), group);
    // The other outcome too, though nobody asks for it.
    await().atMost(PATIENCE).until(() -> cluster.letters().isEmpty() && saga.commands().isEmpty());
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(saga.noted("bad")).containsExactlyInAnyOrder("e1", "e2", "e3", "o");
              assertThat(saga.noted("bad").indexOf("e2"))
                  .isLessThan(saga.noted("bad").indexOf("e3"));
            });
  }

  @Test
  void a_letter_that_is_dropped_while_it_is_tried_has_no_effect() throws Exception {
    saga.poisoned = of("bad");
    var node = saga.node("a");
    saga.host(node, 1);
    cluster.append("bad");
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 1);
    var begun = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    saga.poisoned =
        input -> {
          begun.countDown();
          try {
            assertThat(goOn.await(20, TimeUnit.SECONDS)).isTrue();
          } catch (InterruptedException stopped) {
            throw new IllegalStateException(stopped);
          }
          return false;
        };
    node.letters.retry(asked(), new Chosen(null, null), 0);
    assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
    node.letters.drop(
        new Operations.Asked("greeting", 1, null, "test", "bad data", false),
        new Chosen(null, "java.lang.IllegalStateException"));
    goOn.countDown();
    cluster.append("bad");
    await().atMost(PATIENCE).until(() -> "e2".equals(saga.states().get("bad")));
  }

  @Test
  void a_reset_forgets_events_that_come_again_and_their_commands_are_sent() throws Exception {
    saga.decision = input -> greeting(input, true);
    saga.poisoned =
        input ->
            (input.key().equals("bad") && input.event() != null)
                || (input.key().equals("deaf") && input.outcome() != null);
    var node = saga.node("a");
    saga.host(node, 1);
    cluster.append("good", "deaf", "bad", "good");
    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(0L, 3L)));
    await().atMost(PATIENCE).until(() -> cluster.checkpoints().equals(List.of(4L)));
    await().atMost(PATIENCE).until(() -> saga.sent.size() == 3 && saga.commands().size() == 1);
    saga.poisoned = input -> false;
    node.operations.reset(asked(), 0, false);

    await().atMost(PATIENCE).until(() -> "e3 o".equals(saga.states().get("bad")));
    assertThat(saga.sent).hasSize(4);
    assertThat(cluster.letters()).containsExactly(0L);
    assertThat(saga.states()).containsEntry("deaf", "e2");
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> "e2 o".equals(saga.states().get("deaf")));
  }
}
