package io.evento.server.consumer.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Receipt;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Stepping;
import io.evento.protocol.Stepping.Happening;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.SteppingBundle;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.operation.DeadLetters.Chosen;
import io.evento.server.consumer.operation.Operations;
import io.evento.server.consumer.outbox.PendingSagaInput;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.consumer.segment.Slots;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a saga or observer fails on is parked, kept in order, and repaired; on real nodes. */
@Tag("I7")
class StepLetterTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final ConsumerId CONSUMER = new ConsumerId("greeting", 1);

  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private final List<Message.Command> sent = new CopyOnWriteArrayList<>();
  private final List<String> tried = new CopyOnWriteArrayList<>();

  /** What is failed on, and how. */
  private volatile Predicate<Happening> poisoned = happening -> false;

  private volatile RuntimeException poison = new IllegalStateException("poison");

  /** What a step sends and sets beside what it notes. */
  private volatile Function<Happening, Stepping.Result> decision =
      happening -> Stepping.Result.NOTHING;

  @Test
  void a_poisoned_key_parks_only_itself_and_after_repair_runs_in_order_and_once() throws Exception {
    decision = happening -> greeting(happening, false);
    poisoned = of("bad");
    var node = node("a");
    saga(node, 2);
    var all = appendRounds(30, "a", "b", "bad", "c", "d");
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(letters()).containsExactlyElementsOf(positions(all, "bad"));
              assertThat(checkpoints()).containsOnly(cluster.head());
            });
    assertThat(states()).containsOnlyKeys("a", "b", "c", "d");
    assertThat(
            cluster.texts(
                "select attempts || ' ' || kind || ' ' || type || ' ' || cause_group"
                    + " from evento.dead_letter where failed_at is not null"))
        .containsExactly("5 event MoneyDeposited java.lang.IllegalStateException");

    poisoned = happening -> false;
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> letters().isEmpty());
    for (var key : List.of("a", "b", "bad", "c", "d")) {
      assertThat(states()).containsEntry(key, noted(positions(all, key)));
    }
    await().atMost(PATIENCE).until(() -> sent.size() >= 150 && commands().isEmpty());
    assertThat(sent.stream().map(Message.Command::id).distinct()).hasSize(150);
    assertThat(sent).hasSize(150);
    cluster.append("bad");
    await().atMost(PATIENCE).until(() -> sent.size() == 151);
  }

  @Test
  void a_busy_key_goes_live_again_without_being_overtaken() throws Exception {
    poisoned = of("busy");
    var node = node("a");
    saga(node, 1);
    var all = new ArrayList<>(appendRounds(20, "busy", "other"));
    await().atMost(PATIENCE).until(() -> letters().size() == 20);
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
    poisoned = happening -> false;
    node.letters.retry(asked(), new Chosen(null, null), 0);
    try {
      await().atMost(PATIENCE).until(() -> letters().isEmpty() && noted("busy").size() > 40);
    } finally {
      goesOn.set(false);
      writer.join();
    }
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(letters()).isEmpty();
              assertThat(states()).containsEntry("busy", noted(positions(all, "busy")));
              assertThat(states()).containsEntry("other", noted(positions(all, "other")));
            });
    assertThat(tried.stream().filter(one -> one.startsWith("busy e")).distinct())
        .hasSize(positions(all, "busy").size());
  }

  @Test
  void a_failing_outcome_stays_and_parks_what_follows_of_its_key() throws Exception {
    decision =
        happening ->
            isEvent(happening, 1) || isEvent(happening, 2)
                ? greeting(happening, true)
                : Stepping.Result.NOTHING;
    poisoned = of("bad").and(happening -> happening.outcome() != null);
    var node = node("a");
    saga(node, 1);
    cluster.append("bad", "good");
    await().atMost(PATIENCE).until(() -> letters().equals(List.of(0L)));
    cluster.append("bad", "good", "bad");
    await().atMost(PATIENCE).until(() -> letters().equals(List.of(0L, 3L, 5L)));
    await().atMost(PATIENCE).until(() -> checkpoints().equals(List.of(5L)));
    assertThat(states()).isEqualTo(Map.of("bad", "e1", "good", "e2 o e4"));
    assertThat(
            cluster.texts("select kind || ' ' || type from evento.dead_letter order by position"))
        .containsExactly("outcome Greet", "event MoneyDeposited", "event MoneyDeposited");
    assertThat(commands())
        .containsExactlyElementsOf(
            cluster.texts("select command_id::text from evento.dead_letter where position = 0"));

    poisoned = happening -> false;
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> letters().isEmpty());
    assertThat(states()).isEqualTo(Map.of("bad", "e1 o e3 e5", "good", "e2 o e4"));
    assertThat(commands()).isEmpty();
  }

  @Test
  void a_failing_deadline_stays_and_parks_what_follows_of_its_key() throws Exception {
    decision =
        happening ->
            happening.event() == null
                ? Stepping.Result.NOTHING
                : new Stepping.Result(
                    null, false, List.of(), List.of(new Stepping.Deadline("hang", 0L, null)));
    poisoned = of("bad").and(happening -> happening.due() != null);
    var node = node("a");
    saga(node, 1);
    cluster.append("bad", "good");
    await().atMost(PATIENCE).until(() -> letters().equals(List.of(0L)));
    await().atMost(PATIENCE).until(() -> "e2 d".equals(states().get("good")));
    decision = happening -> Stepping.Result.NOTHING;
    cluster.append("bad", "good");
    await().atMost(PATIENCE).until(() -> letters().equals(List.of(0L, 3L)));
    await().atMost(PATIENCE).until(() -> "e2 d e4".equals(states().get("good")));
    assertThat(states()).containsEntry("bad", "e1");
    assertThat(
            cluster.texts("select kind || ' ' || type from evento.dead_letter where position = 0"))
        .containsExactly("deadline hang");
    assertThat(cluster.texts("select id::text from evento.scheduled_message"))
        .containsExactlyElementsOf(
            cluster.texts("select command_id::text from evento.dead_letter where position = 0"));

    poisoned = happening -> false;
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> letters().isEmpty());
    assertThat(states()).containsEntry("bad", "e1 d e3");
    assertThat(cluster.texts("select id::text from evento.scheduled_message")).isEmpty();
  }

  @Test
  void outcomes_and_deadlines_of_a_parked_key_wait_until_it_is_live() throws Exception {
    var answers = new CompletableFuture<Receipt>();
    var node = node("a");
    node.router =
        command -> {
          sent.add(command);
          return answers.thenApply(done -> receipt(command));
        };
    decision =
        happening ->
            isEvent(happening, 1)
                ? new Stepping.Result(
                    null,
                    false,
                    List.of(SteppingBundle.command("Greet", "{}")),
                    List.of(new Stepping.Deadline("hang", 1L, null)))
                : Stepping.Result.NOTHING;
    // Both poisons at once: an event that waits for its turn, and the deadline.
    poisoned = of("bad").and(happening -> !isEvent(happening, 1));
    saga(node, 1);
    cluster.append("bad", "bad", "good");
    await().atMost(PATIENCE).until(() -> !letters().isEmpty());
    answers.complete(receipt(new UUID(0, 0)));
    await()
        .atMost(PATIENCE)
        .until(() -> count("evento.consumer_command where settled_at is not null") == 1);
    cluster.append("good");
    await().atMost(PATIENCE).until(() -> "e3 e4".equals(states().get("good")));
    await()
        .during(Duration.ofMillis(1_500))
        .atMost(PATIENCE)
        .until(() -> "e1".equals(states().get("bad")));
    assertThat(tried).doesNotContain("bad o");

    poisoned = happening -> false;
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> assertThat(noted("bad")).containsExactlyInAnyOrder("e1", "e2", "o", "d"));
    assertThat(letters()).isEmpty();
  }

  @Test
  void what_passes_by_itself_parks_nothing() throws Exception {
    poison = new EventoException(ErrorCode.OVERLOADED, "busy");
    poisoned = of("bad");
    saga(node("a"), 1);
    cluster.append("bad", "good");
    await().atMost(PATIENCE).until(() -> tried.stream().filter("bad e1"::equals).count() > 7);
    assertThat(letters()).isEmpty();
    poison = new EventoException(ErrorCode.NO_HANDLER, "nobody");
    await().atMost(PATIENCE).until(() -> tried.stream().filter("bad e1"::equals).count() > 8);
    poisoned = happening -> false;
    await().atMost(PATIENCE).until(() -> states().equals(Map.of("bad", "e1", "good", "e2")));
    assertThat(letters()).isEmpty();
  }

  @Test
  void a_letter_that_cannot_be_tried_now_is_tried_again_by_itself() throws Exception {
    poisoned = of("bad");
    var node = node("a");
    saga(node, 1);
    cluster.append("bad");
    await().atMost(PATIENCE).until(() -> letters().size() == 1);
    poison = new EventoException(ErrorCode.UNAVAILABLE, "no database");
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> tried.stream().filter("bad e1"::equals).count() > 6);
    assertThat(cluster.texts("select attempts::text from evento.dead_letter")).containsExactly("5");
    poisoned = happening -> false;
    await().atMost(PATIENCE).until(() -> states().equals(Map.of("bad", "e1")));
    assertThat(letters()).isEmpty();
  }

  @Test
  void a_letter_that_fails_again_waits_and_its_key_with_it() throws Exception {
    poisoned = of("bad");
    var node = node("a");
    saga(node, 1);
    cluster.append("bad", "bad");
    await().atMost(PATIENCE).until(() -> letters().size() == 2);
    poison = new IllegalArgumentException("still");
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
    assertThat(states()).isEmpty();
  }

  @Test
  void an_observer_parks_the_stream_that_it_fails_on_and_no_other() throws Exception {
    decision = happening -> greeting(happening, false);
    poisoned = of("Account:bad");
    var node = node("a");
    observer(node);
    var all = appendRounds(10, "a", "bad", "b");
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(letters()).containsExactlyElementsOf(positions(all, "bad"));
              assertThat(checkpoints()).containsOnly(cluster.head());
            });
    await().atMost(PATIENCE).until(() -> sent.size() == 20);
    assertThat(cluster.texts("select distinct sequence_key from evento.dead_letter"))
        .containsExactly("Account:bad");

    poisoned = happening -> false;
    tried.clear();
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> letters().isEmpty() && sent.size() == 30);
    assertThat(tried)
        .containsExactlyElementsOf(
            positions(all, "bad").stream().map(p -> "Account:bad e" + p).toList());
    assertThat(sent.stream().map(Message.Command::id).distinct()).hasSize(30);
  }

  @Test
  void a_letter_is_not_tried_before_all_up_to_its_event_is_done() throws Exception {
    poisoned = of("Account:bad");
    var node = node("a");
    observer(node);
    cluster.append("bad");
    await().atMost(PATIENCE).until(() -> letters().equals(List.of(1L)));
    poison = new EventoException(ErrorCode.OVERLOADED, "busy");
    poisoned = of("Account:busy");
    cluster.append("busy", "bad");
    await().atMost(PATIENCE).until(() -> letters().equals(List.of(1L, 3L)));
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> letters().equals(List.of(3L)));
    // A node that died now would have the next one begin with it.
    assertThat(checkpoints()).containsExactly(1L);
    await()
        .during(Duration.ofMillis(2_500))
        .atMost(PATIENCE)
        .until(() -> letters().equals(List.of(3L)));
    poisoned = happening -> false;
    await().atMost(PATIENCE).until(() -> letters().isEmpty());
    assertThat(checkpoints()).containsExactly(3L);
    assertThat(tried.stream().filter("Account:bad e3"::equals)).hasSize(1);
  }

  @Test
  void an_owner_that_was_fenced_off_neither_parks_nor_retries() throws Exception {
    poisoned = of("bad");
    var node = node("a");
    saga(node, 1);
    var event = cluster.append("bad").get(0);
    await().atMost(PATIENCE).until(() -> checkpoints().equals(List.of(1L)));
    var delivery = node.deliveries.of(new SegmentId(CONSUMER, 0)).orElseThrow();
    var late = delivery.lease();
    var found = found(late, delivery.filter(), event);
    node.operations.split(asked(0), null);

    var other = new DeadLetter("late", 0, 2, UUID.randomUUID(), "MoneyDeposited");
    assertThat(node.letterWrites.park(late, List.of(other), "x", 5)).isEmpty();
    var behind = new DeadLetter("bad", Slots.of("bad"), 2, UUID.randomUUID(), "Late");
    assertThat(node.letterWrites.parkBehind(late, List.of(behind))).isEmpty();
    assertThat(node.stepParking.take(step(late, node, found), found.letter())).isEmpty();
    assertThat(node.letterWrites.failedAgain(late, found.letter(), "x", false)).isEmpty();
    assertThat(letters()).containsExactly(1L);
    assertThat(states()).isEmpty();
    assertThat(cluster.texts("select attempts::text from evento.dead_letter")).containsExactly("5");
  }

  @Test
  void a_key_stays_parked_for_the_next_owner_and_after_a_split() throws Exception {
    decision =
        happening -> isEvent(happening, 1) ? greeting(happening, true) : Stepping.Result.NOTHING;
    poisoned = of("bad").and(happening -> happening.outcome() != null);
    var first = node("a");
    saga(first, 1);
    cluster.append("bad");
    await().atMost(PATIENCE).until(() -> letters().equals(List.of(0L)));
    first.leave();
    poisoned = happening -> false;
    var second = node("b");
    saga(second, 1);
    cluster.append("good", "bad");
    await().atMost(PATIENCE).until(() -> letters().equals(List.of(0L, 3L)));
    second.operations.split(asked(0), null);
    cluster.append("good", "bad");
    await().atMost(PATIENCE).until(() -> letters().equals(List.of(0L, 3L, 5L)));
    await().atMost(PATIENCE).until(() -> "e2 e4".equals(states().get("good")));
    assertThat(states()).containsEntry("bad", "e1");
    second.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> "e1 o e3 e5".equals(states().get("bad")));
    assertThat(letters()).isEmpty();
  }

  @Test
  void letters_that_are_tried_while_their_node_dies_have_effect_once() throws Exception {
    decision = happening -> greeting(happening, true);
    poisoned = happening -> happening.event() != null;
    var first = node("a");
    saga(first, 4);
    var keys = IntStream.range(0, 20).mapToObj(i -> "k-" + i).toArray(String[]::new);
    // So many keys fail, one after the other; most events only wait behind.
    var all = new ArrayList<>(appendRounds(10, keys));
    await().atMost(Duration.ofSeconds(60)).until(() -> letters().size() == 200);
    saga(node("b"), 4);
    poisoned = happening -> false;
    first.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> letters().size() < 150);
    first.close();
    all.addAll(cluster.append(keys));
    await().atMost(Duration.ofSeconds(60)).until(() -> letters().isEmpty() && commands().isEmpty());
    for (var key : keys) {
      var events = noted(key).stream().filter(one -> !one.equals("o")).toList();
      assertThat(String.join(" ", events)).isEqualTo(noted(positions(all, key)));
      assertThat(noted(key)).hasSize(22);
    }
    assertThat(sent.stream().map(Message.Command::id).distinct()).hasSize(220);
    assertThat(sent.stream().map(command -> command.payload().text()).distinct()).hasSize(220);
  }

  @Test
  void a_dropped_outcome_is_gone_and_what_waited_behind_it_runs() throws Exception {
    decision =
        happening ->
            isEvent(happening, 1)
                ? new Stepping.Result(
                    null,
                    false,
                    List.of(
                        SteppingBundle.command("Greet", "{\"n\":1}"),
                        SteppingBundle.command("Greet", "{\"n\":2}")),
                    List.of())
                : Stepping.Result.NOTHING;
    poisoned = of("bad").and(happening -> happening.outcome() != null);
    var node = node("a");
    saga(node, 1);
    cluster.append("bad", "bad");
    await().atMost(PATIENCE).until(() -> letters().contains(0L) && commands().size() == 2);
    cluster.append("bad");
    await().atMost(PATIENCE).until(() -> letters().contains(3L));
    poisoned = happening -> false;
    var group = new Chosen(null, "java.lang.IllegalStateException");
    node.letters.drop(new Operations.Asked("greeting", 1, null, "test", "bad data", false), group);
    // The other outcome too, though nobody asks for it.
    await().atMost(PATIENCE).until(() -> letters().isEmpty() && commands().isEmpty());
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(noted("bad")).containsExactlyInAnyOrder("e1", "e2", "e3", "o");
              assertThat(noted("bad").indexOf("e2")).isLessThan(noted("bad").indexOf("e3"));
            });
  }

  @Test
  void a_letter_that_is_dropped_while_it_is_tried_has_no_effect() throws Exception {
    poisoned = of("bad");
    var node = node("a");
    saga(node, 1);
    cluster.append("bad");
    await().atMost(PATIENCE).until(() -> letters().size() == 1);
    var begun = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    poisoned =
        happening -> {
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
    await().atMost(PATIENCE).until(() -> "e2".equals(states().get("bad")));
  }

  @Test
  void where_dead_letters_are_full_the_consumer_pauses_and_loses_nothing() throws Exception {
    var node = node("a");
    node.deadLettersMax = 3;
    poisoned = of("bad");
    saga(node, 1);
    var all = appendRounds(5, "bad", "good");
    await()
        .atMost(PATIENCE)
        .until(() -> cluster.texts("select status from evento.consumer").equals(List.of("full")));
    await()
        .during(Duration.ofMillis(1_500))
        .atMost(PATIENCE)
        .until(() -> cluster.texts("select status from evento.consumer").equals(List.of("full")));
    assertThat(letters()).hasSizeLessThanOrEqualTo(3);
    assertThat(checkpoints().get(0)).isLessThan(cluster.head());

    poisoned = happening -> false;
    node.deadLettersMax = 100;
    node.operations.resume(asked());
    await().atMost(PATIENCE).until(() -> checkpoints().equals(List.of(cluster.head())));
    assertThat(states()).containsEntry("good", noted(positions(all, "good")));
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> assertThat(states()).containsEntry("bad", noted(positions(all, "bad"))));
  }

  @Test
  void a_reset_forgets_events_that_come_again_and_their_commands_are_sent() throws Exception {
    decision = happening -> greeting(happening, true);
    poisoned =
        happening ->
            (happening.key().equals("bad") && happening.event() != null)
                || (happening.key().equals("deaf") && happening.outcome() != null);
    var node = node("a");
    saga(node, 1);
    cluster.append("good", "deaf", "bad", "good");
    await().atMost(PATIENCE).until(() -> letters().equals(List.of(0L, 3L)));
    await().atMost(PATIENCE).until(() -> checkpoints().equals(List.of(4L)));
    await().atMost(PATIENCE).until(() -> sent.size() == 3 && commands().size() == 1);
    poisoned = happening -> false;
    node.operations.reset(asked(), 0, false);

    await().atMost(PATIENCE).until(() -> "e3 o".equals(states().get("bad")));
    assertThat(sent).hasSize(4);
    assertThat(letters()).containsExactly(0L);
    assertThat(states()).containsEntry("deaf", "e2");
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> "e2 o".equals(states().get("deaf")));
  }

  // ---- the saga

  /** Notes in its state what it was given. */
  private Stepping.Result step(Happening happening, @Nullable Json state) {
    var what =
        happening.event() != null
            ? "e" + happening.event().position()
            : happening.outcome() != null ? "o" : "d";
    tried.add(happening.key() + " " + what);
    if (poisoned.test(happening)) {
      throw poison;
    }
    var decided = decision.apply(happening);
    var before = state == null ? "" : state.text().replace("\"", "") + " ";
    return new Stepping.Result(
        new Json("\"" + before + what + "\""), false, decided.commands(), decided.deadlines());
  }

  private static Predicate<Happening> of(String key) {
    return happening -> happening.key().equals(key);
  }

  private static boolean isEvent(Happening happening, long position) {
    var event = happening.event();
    return event != null && event.position() == position;
  }

  private static Stepping.Result greeting(Happening happening, boolean hear) {
    var event = happening.event();
    return event == null
        ? Stepping.Result.NOTHING
        : new Stepping.Result(
            null,
            false,
            List.of(new Stepping.Send("Greet", new Json("{\"n\":" + event.position() + "}"), hear)),
            List.of());
  }

  private static String noted(List<Long> positions) {
    return positions.stream().map(position -> "e" + position).collect(Collectors.joining(" "));
  }

  // ---- the node

  private ConsumerNode node(String name) {
    var node = cluster.node(name);
    node.router =
        command -> {
          sent.add(command);
          return CompletableFuture.completedStage(receipt(command));
        };
    return node;
  }

  private void saga(ConsumerNode node, int segments) {
    cluster.opened(new SteppingBundle(node, SteppingBundle.saga(segments), this::step).connect());
  }

  private void observer(ConsumerNode node) {
    cluster.opened(
        new SteppingBundle(
                node,
                SteppingBundle.observer(1),
                (happening, state) -> {
                  var decided = step(happening, null);
                  return new Stepping.Result(null, false, decided.commands(), List.of());
                })
            .connect());
  }

  private static Receipt receipt(Message.Command command) {
    return receipt(command.id());
  }

  private static Receipt receipt(UUID command) {
    return new Receipt(command, null, null, false);
  }

  /** The letter of an event, as an owner has it before him. */
  private static StepParking.Found found(Lease lease, Filter filter, RecordedEvent event) {
    var id = UUID.fromString(cluster.texts("select id::text from evento.dead_letter").get(0));
    var at = lease.step();
    return new StepParking.Found(
        new DeadLetter.Due(
            id, DeadLetter.Kind.EVENT, "bad", event.position(), event.commandId(), 5, false, 0),
        StepBatch.of(
            new StepBatch.Request(
                lease, filter, List.of(event), at.to(), at.command(), false, false),
            PendingSagaInput.EMPTY,
            Map.of(),
            Set.of()));
  }

  private static StepTable.Step step(Lease lease, ConsumerNode node, StepParking.Found found) {
    return new StepTable.Step(
        UUID.randomUUID(),
        lease,
        found.batch().upTo().epoch(),
        found.batch().doneWith(1, 0),
        StepWrite.of(
            CONSUMER, true, found.batch(), List.of(SteppingBundle.to("\"late\"")), any -> 0),
        node.incarnation,
        Duration.ofSeconds(5),
        found.letter().id());
  }

  private static Operations.Asked asked() {
    return asked(null);
  }

  private static Operations.Asked asked(@Nullable Integer segment) {
    return new Operations.Asked("greeting", 1, segment, "test", null, false);
  }

  private List<RecordedEvent> appendRounds(int rounds, String... keys) throws SQLException {
    var all = new ArrayList<RecordedEvent>();
    for (var round = 0; round < rounds; round++) {
      all.addAll(cluster.append(keys));
    }
    return all;
  }

  private static List<Long> positions(List<RecordedEvent> events, String account) {
    return events.stream()
        .filter(event -> event.aggregate().id().equals(account))
        .map(RecordedEvent::position)
        .toList();
  }

  // ---- the database

  private static List<Long> letters() {
    return cluster.numbers("select position from evento.dead_letter order by position");
  }

  private static List<String> commands() {
    return cluster.texts("select id::text from evento.consumer_command");
  }

  private static List<Long> checkpoints() {
    return cluster.numbers("select checkpoint from evento.consumer_segment order by segment");
  }

  /** What each saga has noted. */
  private static Map<String, String> states() {
    var found = new TreeMap<String, String>();
    for (var row :
        cluster.texts("select key || '=' || replace(state, '\"', '') from evento.saga_state")) {
      found.put(row.substring(0, row.indexOf('=')), row.substring(row.indexOf('=') + 1));
    }
    return found;
  }

  private static List<String> noted(String key) {
    return List.of(states().getOrDefault(key, "").split(" "));
  }

  private static long count(String from) {
    return cluster.numbers("select count(*) from " + from).get(0);
  }
}
