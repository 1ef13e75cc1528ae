package io.evento.server.eventstore.append;

import static java.time.Duration.ZERO;
import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendCondition;
import io.evento.server.eventstore.AppendCondition.Alternative;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.fixture.Seeds;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Random requests come, wait, are handed out and answered, beside a model of what may happen. */
class AppendQueueSimulationTest {
  private static final int STEPS = 60;
  private static final AppendQueue.Limits LIMITS =
      new AppendQueue.Limits(4, 4_000, 500, 12, 20_000);
  private static final UUID EPOCH = new UUID(0, 1);
  private static final UUID OTHER_EPOCH = new UUID(0, 2);

  /** What is wrong with a queue, so that the simulation can be seen to find it. */
  private enum Bug {
    NONE,
    TWO_BATCHES_AS_ONE,
    BATCHES_SWAPPED,
    CONDITIONS_NOT_LAST,
    LAST_OF_A_BATCH_LOST,
    HANDED_OUT_TWICE,
    LINKS_SWAPPED,
    NOT_CUT,
    ROOM_NOT_GIVEN_BACK
  }

  @Test
  void
      every_request_is_handed_out_once_nothing_of_a_stream_is_overtaken_and_links_stand_one_on_the_other() {
    Seeds.all("append batcher", random -> new Simulation(random, Bug.NONE).run());
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void a_queue_with_a_bug_is_found(Bug bug) {
    assertThat(Seeds.firstBroken(random -> new Simulation(random, bug).run())).isNotEmpty();
  }

  private static final class Simulation {
    private final Random random;
    private final Bug bug;
    private final AppendQueue queue =
        new AppendQueue(LIMITS, () -> Optional.of(new StorePosition(EPOCH, 1_000)));
    private final List<UUID> ids = new ArrayList<>();
    // The model: who waits, by stream and by id in the order of their arrival, and who is away.
    private final Map<String, ArrayDeque<PendingAppend>> waiting = new HashMap<>();
    private final List<PendingAppend> away = new ArrayList<>();
    // What was decided last on streams that have chains, and what came to nothing of that.
    private final Map<String, Tip> lastDecided = new HashMap<>();
    private final Set<Long> refused = new HashSet<>();
    private int offered;
    private int answered;
    private List<PendingAppend> keptBack = List.of();

    Simulation(Random random, Bug bug) {
      this.random = random;
      this.bug = bug;
      for (var i = 0; i < 8; i++) {
        ids.add(new UUID(9, i));
      }
    }

    void run() throws InterruptedException {
      for (var step = 0; step < STEPS; step++) {
        switch (random.nextInt(5)) {
          case 0, 1 -> offer();
          case 2 -> take();
          default -> answer();
        }
      }
      for (var rest = 0; rest < 10 * STEPS && offered > answered; rest++) {
        take();
        while (!away.isEmpty()) {
          answer();
        }
      }
      assertThat(answered).as("answered in the end").isEqualTo(offered);
      assertThat(queue.count()).as("room that is taken in the end").isZero();
    }

    private void offer() {
      var pending = new PendingAppend(anyRequest(), 0);
      var isIn = queue.offer(pending);
      assertThat(isIn).as("room").isEqualTo(hasRoom(pending));
      if (isIn) {
        offered++;
        if (pending.request().isLink()) {
          lastDecided.put(stream(pending), pending.request().tipAfter(0));
        }
        places(pending.request())
            .forEach(
                place -> waiting.computeIfAbsent(place, first -> new ArrayDeque<>()).add(pending));
      }
    }

    private boolean hasRoom(PendingAppend pending) {
      var in = new HashSet<PendingAppend>(away);
      waiting.values().forEach(in::addAll);
      var bytes = in.stream().mapToLong(PendingAppend::bytes).sum();
      return in.isEmpty()
          || (in.size() < LIMITS.waiting() && bytes + pending.bytes() <= LIMITS.waitingBytes());
    }

    /** What a queue of decisions proposes: on its last one, or anew where that was refused. */
    private AppendRequest anyLink() {
      var stream = "c" + random.nextInt(2);
      var on = lastDecided.getOrDefault(stream, Tip.EMPTY);
      var request = AppendRequests.on(stream, on).id(ids.get(random.nextInt(8)));
      if (random.nextInt(4) == 0) {
        return request.rejected().asLink();
      }
      return request.event(0, "A", "x".repeat(random.nextInt(400))).events().asLink();
    }

    private AppendRequest anyRequest() {
      if (random.nextInt(3) == 0) {
        return anyLink();
      }
      var request =
          AppendRequests.on("s" + random.nextInt(5), Tip.EMPTY).id(ids.get(random.nextInt(8)));
      if (random.nextInt(4) == 0) {
        request.and("t" + random.nextInt(3), Tip.EMPTY);
      }
      if (random.nextInt(4) == 0) {
        var epoch = random.nextInt(5) == 0 ? OTHER_EPOCH : EPOCH;
        request.when(
            new AppendCondition(
                new StorePosition(epoch, 1_000 - random.nextInt(400)),
                List.of(new Alternative(List.of("A"), List.of("x")))));
      }
      return request.event(0, "A", "x".repeat(random.nextInt(1_500))).events();
    }

    private static String stream(PendingAppend link) {
      return link.request().bases().get(0).stream();
    }

    /** Its streams and its id: in each of these the order of arrival holds. */
    private static List<String> places(AppendRequest request) {
      var places = new ArrayList<String>();
      places.add("id " + request.commandId());
      request.bases().forEach(basis -> places.add("stream " + basis.stream()));
      return places;
    }

    private void take() throws InterruptedException {
      var batch = handedOut();
      var taken = new HashSet<String>();
      var after = new HashMap<String, Tip>();
      var isConditional = false;
      Optional<UUID> epoch = Optional.empty();
      for (var one : batch) {
        var condition = one.request().condition();
        assertThat(isConditional && condition == null).as("one behind conditional ones").isFalse();
        isConditional = condition != null;
        if (condition != null) {
          assertThat(epoch.orElse(condition.after().epoch())).isEqualTo(condition.after().epoch());
          epoch = Optional.of(condition.after().epoch());
        }
        for (var place : places(one.request())) {
          var isFirst = taken.add(place);
          var follows = one.request().isLink() && place.startsWith("stream ");
          assertThat(isFirst || follows).as("%s once in a batch", place).isTrue();
          if (follows) {
            var on = one.request().bases().get(0).tip();
            assertThat(isFirst || on.equals(after.get(place)))
                .as("a link of %s on the one before", place)
                .isTrue();
            assertThat(refused).as("what a link was decided on").doesNotContain(on.decision());
            after.put(place, one.request().tipAfter(0));
          }
          var line = waiting.getOrDefault(place, new ArrayDeque<>());
          assertThat(line.poll()).as("the first of %s", place).isSameAs(one);
        }
        away.add(one);
      }
      verdict(batch);
      assertThat(batch.size()).isLessThanOrEqualTo(LIMITS.commands());
      if (batch.size() > 1) {
        assertThat(batch.stream().mapToInt(PendingAppend::bytes).sum())
            .isLessThanOrEqualTo(LIMITS.bytes());
      }
    }

    /** Now and then the links of a stream are refused, all of them, with those that wait behind. */
    private void verdict(List<PendingAppend> batch) {
      var stream = "c" + random.nextInt(2);
      var links =
          batch.stream()
              .filter(one -> one.request().isLink() && stream(one).equals(stream))
              .toList();
      if (links.isEmpty() || random.nextInt(3) > 0) {
        return;
      }
      links.forEach(link -> refused.add(link.request().decision()));
      lastDecided.put(stream, links.get(0).request().bases().get(0).tip());
      for (var cut : bug == Bug.NOT_CUT ? List.<PendingAppend>of() : queue.cut(Set.of(stream))) {
        refused.add(cut.request().decision());
        for (var place : places(cut.request())) {
          assertThat(waiting.getOrDefault(place, new ArrayDeque<>()).remove(cut))
              .as("cut while it waits")
              .isTrue();
        }
        answered++;
        queue.release(cut);
      }
    }

    private List<PendingAppend> handedOut() throws InterruptedException {
      var batch = new ArrayList<>(queue.take(ZERO));
      switch (bug) {
        case TWO_BATCHES_AS_ONE -> batch.addAll(queue.take(ZERO));
        case BATCHES_SWAPPED -> {
          if (keptBack.isEmpty() && random.nextBoolean()) {
            keptBack = batch;
            return List.of();
          }
          var first = keptBack;
          keptBack = List.of();
          if (batch.isEmpty()) {
            return first;
          }
          keptBack = first;
        }
        case CONDITIONS_NOT_LAST -> Collections.reverse(batch);
        case LAST_OF_A_BATCH_LOST -> {
          if (batch.size() > 2) {
            batch.remove(batch.size() - 1);
          }
        }
        case HANDED_OUT_TWICE -> {
          if (!away.isEmpty() && random.nextInt(10) == 0) {
            batch.add(away.get(0));
          }
        }
        case LINKS_SWAPPED -> {
          if (batch.size() > 1 && batch.get(0).request().isLink()) {
            Collections.swap(batch, 0, 1);
          }
        }
        case NONE, ROOM_NOT_GIVEN_BACK, NOT_CUT -> {}
      }
      return batch;
    }

    private void answer() {
      if (!away.isEmpty()) {
        var one = away.remove(random.nextInt(away.size()));
        answered++;
        if (bug != Bug.ROOM_NOT_GIVEN_BACK || random.nextInt(5) > 0) {
          queue.release(one);
        }
      }
    }
  }
}
