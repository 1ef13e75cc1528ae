package io.evento.server.consumer.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.HandlingBundle;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.SteppingBundle;
import io.evento.server.consumer.operation.DeadLetters.Chosen;
import io.evento.server.consumer.operation.Operations;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Events that end the session of whoever takes them; on real nodes. */
@Tag("I7")
class FatalEventsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private final Set<String> fatal = ConcurrentHashMap.newKeySet();
  private final Map<String, List<Long>> handled = new ConcurrentHashMap<>();
  private final AtomicInteger ended = new AtomicInteger();

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void one_that_ended_three_sessions_is_parked_with_its_key_and_all_others_are_handled(int nodes)
      throws SQLException {
    fatal.add("bad");
    for (var i = 0; i < nodes; i++) {
      projector(cluster.node("n" + i));
    }
    var all = appendRounds(30, "a", "b", "bad", "c", "d", "e");
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(cluster.letters()).containsExactlyElementsOf(positions(all, "bad"));
              assertThat(checkpoints()).containsOnly(cluster.head());
            });
    assertThat(ended).hasValue(3);
    assertThat(causes()).singleElement().asString().startsWith("3 ").contains("ended 3 sessions");
    for (var key : List.of("a", "b", "c", "d", "e")) {
      assertThat(handled.getOrDefault(key, List.of()).stream().distinct())
          .containsExactlyElementsOf(positions(all, key));
    }
  }

  @Test
  void a_letter_that_ends_sessions_when_it_is_tried_again_stays_one() throws SQLException {
    fatal.add("bad");
    var node = cluster.node("a");
    projector(node);
    var all = appendRounds(3, "a", "bad");
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 3);
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(
                        cluster.texts(
                            "select attempts || ' ' || (retry_at is null) from evento.dead_letter"
                                + " order by position limit 1"))
                    .containsExactly("4 true"));
    assertThat(ended).hasValue(6);
    fatal.clear();
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> cluster.letters().isEmpty());
    assertThat(handled.get("bad")).containsExactlyElementsOf(positions(all, "bad"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"saga", "observer"})
  void a_step_that_ended_three_sessions_is_parked_and_all_others_take_place(String kind)
      throws SQLException {
    fatal.add("bad");
    stepping(cluster.node("a"), kind);
    var all = appendRounds(20, "a", "bad", "b", "c");
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(checkpoints()).containsOnly(cluster.head());
              assertThat(cluster.letters()).isNotEmpty();
            });
    assertThat(ended).hasValue(3);
    assertThat(causes()).singleElement().asString().startsWith("3 ").contains("ended 3 sessions");
    if (kind.equals("saga")) {
      assertThat(cluster.letters()).containsExactlyElementsOf(positions(all, "bad"));
    }
    for (var key : List.of("a", "b", "c")) {
      assertThat(handled.get(key)).containsAll(positions(all, key));
    }
  }

  @Test
  void bundles_that_are_killed_under_load_have_nothing_parked() throws Exception {
    var node = cluster.node("a");
    projector(node);
    stepping(node, "saga");
    var all = new ArrayList<RecordedEvent>();
    for (var kill = 0; kill < 8; kill++) {
      all.addAll(appendRounds(20, "a", "b", "c", "d", "e", "f"));
      var seen = handled.values().stream().mapToInt(List::size).sum();
      await()
          .atMost(PATIENCE)
          .pollInterval(Duration.ofMillis(1))
          .until(
              () ->
                  handled.values().stream().mapToInt(List::size).sum() > seen
                      && !isAnythingTriedAlone(node));
      node.sessions.all().forEach(node.sessions::remove);
    }
    await().atMost(PATIENCE).until(() -> checkpoints().equals(List.of(cluster.head())));
    assertThat(cluster.letters()).isEmpty();
    assertThat(handled.get("a")).containsAll(positions(all, "a"));
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster
                    .texts("select distinct doubt_sessions from evento.consumer_segment")
                    .equals(List.of("0")));
  }

  /** What is killed in the moment of a trial cannot be told from what its event has killed. */
  private static boolean isAnythingTriedAlone(ConsumerNode node) {
    return Stream.of("accounts:1", "greeting:1")
        .flatMap(consumer -> node.deliveries.of(consumer, 0, Integer.MAX_VALUE).stream())
        .anyMatch(delivery -> delivery.lease().doubts().callForTrial());
  }

  @Test
  void a_bundle_that_leaves_casts_no_doubts() throws SQLException {
    var node = cluster.node("a");
    var bundle = new RecordingBundle(UUID.randomUUID());
    bundle.connect(node.sessions, component());
    await().atMost(PATIENCE).until(() -> bundle.heard(ConsumerMessage.Enable.class).size() == 4);
    bundle
        .heard(ConsumerMessage.Enable.class)
        .forEach(
            enabled -> node.consumers.credit(bundle.session, RecordingBundle.credit(enabled, 100)));
    cluster.append("a", "b", "c");
    await().atMost(PATIENCE).until(() -> !bundle.events().isEmpty());
    node.sessions.drain(bundle.session);
    node.sessions.remove(bundle.session);
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster
                    .texts("select owner from evento.consumer_segment where owner is not null")
                    .isEmpty());
    assertThat(cluster.texts("select distinct doubt_sessions from evento.consumer_segment"))
        .containsExactly("0");
  }

  // ---- bundles that connect again when their session ended

  private void projector(ConsumerNode node) {
    var bundle = new HandlingBundle[1];
    bundle[0] =
        cluster.opened(
            new HandlingBundle(
                node, UUID.randomUUID(), (events, event) -> handle(node, event, bundle[0])));
    onEnd(node, bundle[0], () -> projector(node));
    bundle[0].connect(node.sessions, component());
  }

  private static Component component() {
    return RecordingBundle.projector(
        "accounts", new Consumption(List.of(), List.of(), "beginning", 4));
  }

  private void stepping(ConsumerNode node, String kind) {
    var bundle = new SteppingBundle[1];
    bundle[0] =
        cluster.opened(
            new SteppingBundle(
                node,
                kind.equals("saga") ? SteppingBundle.saga() : SteppingBundle.observer(4),
                (input, state) -> {
                  var event = input.event();
                  if (event != null) {
                    handle(node, event, bundle[0]);
                  }
                  return kind.equals("saga") ? SteppingBundle.to("1") : StepMessage.Result.NOTHING;
                }));
    onEnd(node, bundle[0], () -> stepping(node, kind));
    bundle[0].connect();
  }

  /** Ends like a process: what it was at does not come to its end. */
  private void handle(ConsumerNode node, RecordedEvent event, RecordingBundle bundle) {
    if (bundle.session.endedUnasked()) {
      return;
    }
    var account = event.aggregate().id();
    if (fatal.contains(account)) {
      ended.incrementAndGet();
      node.sessions.remove(bundle.session);
      return;
    }
    handled.computeIfAbsent(account, first -> new CopyOnWriteArrayList<>()).add(event.position());
  }

  private static void onEnd(ConsumerNode node, RecordingBundle bundle, Runnable again) {
    var reconnects = new AtomicBoolean();
    node.sessions.onChange(
        () -> {
          if (bundle.session.endedUnasked() && reconnects.compareAndSet(false, true)) {
            node.threads.timer().schedule(again, 20, TimeUnit.MILLISECONDS);
          }
        });
  }

  // ---- what is there

  private static Operations.Asked asked() {
    return new Operations.Asked("accounts", 1, null, "test", null, false);
  }

  private static List<RecordedEvent> appendRounds(int rounds, String... accounts)
      throws SQLException {
    var all = new ArrayList<RecordedEvent>();
    for (var i = 0; i < rounds; i++) {
      all.addAll(cluster.append(accounts));
    }
    return all;
  }

  private static List<Long> positions(List<RecordedEvent> events, String account) {
    return events.stream()
        .filter(event -> event.aggregate().id().equals(account))
        .map(RecordedEvent::position)
        .toList();
  }

  private static List<String> causes() {
    return cluster.texts(
        "select attempts || ' ' || cause from evento.dead_letter where failed_at is not null");
  }

  private static List<Long> checkpoints() {
    return cluster.numbers("select distinct checkpoint from evento.consumer_segment");
  }
}
