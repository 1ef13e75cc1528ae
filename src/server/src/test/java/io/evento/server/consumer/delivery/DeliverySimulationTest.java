package io.evento.server.consumer.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.Events;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Slots;
import io.evento.server.fixture.Seeds;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Events of a segment go to a session that has given some credit, fails at some of them, and dies
 * now and then; what failed is parked with what comes after it of its key, and tried again. What
 * waits, what is in flight, the window, the parked keys and the letters that are tried are the
 * server's own; the session and the table of letters are models.
 */
class DeliverySimulationTest {
  private static final int EVENTS = 60;
  private static final int KEYS = 4;
  private static final int STEPS = 250;
  private static final int CREDIT = 6;

  /** What is wrong with the delivery, so that the simulation can be seen to find it. */
  private enum Bug {
    NONE,
    CREDIT_IGNORED,
    PARKED_KEYS_NOT_HELD,
    PARKED_EVENTS_SENT_TOO,
    NOTHING_PARKED_BEHIND,
    LETTERS_BEHIND_A_FAILED_ONE_TRIED,
    LIVE_WITH_LETTERS_LEFT
  }

  @Test
  void each_event_has_one_effect_in_the_order_of_its_key_and_within_the_credit() {
    Seeds.all("credit window and dead letters", random -> new Simulation(random, Bug.NONE).run());
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void a_bug_is_found(Bug bug) {
    assertThat(Seeds.firstBroken(random -> new Simulation(random, bug).run())).isNotEmpty();
  }

  private record Letter(UUID id, RecordedEvent event) {}

  private static final class Simulation {
    private final Random random;
    private final Bug bug;
    private final List<RecordedEvent> log = new ArrayList<>();

    // What is kept, whoever dies: letters by key, and how far the segment is.
    private final Map<String, ArrayDeque<Letter>> table = new TreeMap<>();
    private final Set<UUID> asked = new HashSet<>();
    private long checkpoint;

    // The owner of the segment.
    private Backlog backlog = new Backlog();
    private SendWindow window = new SendWindow();
    private ParkedKeys parked = new ParkedKeys();
    private LetterQueue letters = new LetterQueue();
    private long readUpTo;
    private @Nullable Long failing;

    // The session: what it was sent, and what its handlers did.
    private final ArrayDeque<RecordedEvent> given = new ArrayDeque<>();
    private final Set<Long> passOver = new HashSet<>();
    private int granted;
    private boolean isStuck;
    private DeadLetter.@Nullable Due trying;
    private final Map<Long, Integer> failuresLeft = new HashMap<>();
    private final Map<String, Long> handled = new HashMap<>();
    private final Map<Long, Long> before = new HashMap<>();

    Simulation(Random random, Bug bug) {
      this.random = random;
      this.bug = bug;
      var last = new HashMap<String, Long>();
      for (var position = 1L; position <= EVENTS; position++) {
        var event = Events.event(position, "a-" + random.nextInt(KEYS));
        log.add(event);
        before.put(position, last.getOrDefault(key(event), 0L));
        last.put(key(event), position);
        if (random.nextInt(8) == 0) {
          failuresLeft.put(position, 1 + random.nextInt(3));
        }
      }
      connect();
    }

    private static String key(RecordedEvent event) {
      return Slots.key(event.aggregate());
    }

    void run() {
      for (var step = 0; step < STEPS; step++) {
        step(random.nextInt(12));
      }
      for (var round = 0; round < 40 * EVENTS && !isDone(); round++) {
        for (var what = 0; what < 10; what++) {
          step(what);
        }
      }
      assertThat(table.values().stream().allMatch(ArrayDeque::isEmpty)).as("no letters").isTrue();
      assertThat(checkpoint).as("checkpoint").isEqualTo(EVENTS);
      var last = new HashMap<String, Long>();
      log.forEach(event -> last.put(key(event), event.position()));
      assertThat(handled).as("last event that had its effect").isEqualTo(last);
    }

    private boolean isDone() {
      return checkpoint == EVENTS && table.values().stream().allMatch(ArrayDeque::isEmpty);
    }

    private void step(int what) {
      switch (what) {
        case 0, 1 -> read();
        case 2, 3 -> pump();
        case 4, 5 -> handle();
        case 6 -> park();
        case 7 -> tryLetter();
        case 8 -> answerLetter();
        case 9 -> table.values().forEach(of -> of.forEach(letter -> asked.add(letter.id())));
        default -> {
          if (random.nextInt(6) == 0) {
            connect();
          }
        }
      }
    }

    /** Another session, or another owner: only what is kept is known. */
    private void connect() {
      given.clear();
      passOver.clear();
      isStuck = false;
      failing = null;
      trying = null;
      backlog = new Backlog();
      window = new SendWindow();
      parked = new ParkedKeys();
      letters = new LetterQueue();
      table.forEach((key, of) -> parked.add(of.isEmpty() ? Set.of() : Set.of(key)));
      readUpTo = checkpoint;
      granted = CREDIT;
      window.granted(CREDIT);
    }

    private void read() {
      if (backlog.hasRoom() && readUpTo < EVENTS) {
        var event = log.get((int) readUpTo++);
        if (!isLetter(event.position())) {
          backlog.add(event);
        }
      }
    }

    /** It was parked by an owner before, whose checkpoint did not get there. */
    private boolean isLetter(long position) {
      return letters().anyMatch(letter -> letter.event().position() == position);
    }

    private Stream<Letter> letters() {
      return table.values().stream().flatMap(ArrayDeque::stream);
    }

    private void pump() {
      var next = backlog.first();
      if (next == null
          || (bug != Bug.PARKED_KEYS_NOT_HELD && parked.holds(next))
          || !(window.isOpen(backlog.fillsMessage()) || bug == Bug.CREDIT_IGNORED)) {
        return;
      }
      var most = bug == Bug.CREDIT_IGNORED ? Backlog.MESSAGE_EVENTS_MAX : window.credit();
      var batch =
          backlog.take(most, bug == Bug.PARKED_KEYS_NOT_HELD ? event -> false : parked::holds);
      window.handed(batch);
      window.inFlight().left(batch.get(batch.size() - 1).position());
      granted -= batch.size();
      assertThat(granted).as("credit that is left").isNotNegative();
      given.addAll(batch);
    }

    /** The session comes to the next event. */
    private void handle() {
      var next = given.peek();
      if (next == null || (isStuck && !passOver.contains(next.position()))) {
        return;
      }
      if (!passOver.contains(next.position())) {
        if (fails(next.position())) {
          isStuck = true;
          failing = next.position();
          return;
        }
        takeEffect(next);
      }
      isStuck = false;
      given.remove();
      acknowledge(next.position());
      granted++;
      window.granted(1);
    }

    private void acknowledge(long position) {
      window.inFlight().landed(position);
      checkpoint = Math.max(checkpoint, position);
      // What was left out in between is parked, and so is what follows at once.
      while (checkpoint < readUpTo && window.inFlight().isEmpty() && isLetter(checkpoint + 1)) {
        checkpoint++;
      }
    }

    private boolean fails(long position) {
      var left = failuresLeft.getOrDefault(position, 0);
      failuresLeft.put(position, Math.max(0, left - 1));
      return left > 0;
    }

    private void takeEffect(RecordedEvent event) {
      assertThat(handled.getOrDefault(key(event), 0L))
          .as("effect of %s before %d", key(event), event.position())
          .isEqualTo(before.get(event.position()));
      handled.put(key(event), event.position());
    }

    /** What there is to write about letters, one thing. */
    private void park() {
      var next = backlog.first();
      if (failing != null) {
        var position = failing;
        failing = null;
        var failed =
            window.inFlight().from(position).findFirst().stream()
                .flatMap(first -> ofKeyFrom(position, key(first)))
                .toList();
        if (failed.isEmpty()) {
          return;
        }
        parked.add(Set.of(key(failed.get(0))));
        write(failed);
        if (bug != Bug.PARKED_EVENTS_SENT_TOO) {
          backlog.drop(positions(failed));
        }
        passOver.addAll(positions(failed));
      } else if (next != null && parked.holds(next)) {
        var held = backlog.events().filter(event -> parked.holds(event)).toList();
        if (bug != Bug.NOTHING_PARKED_BEHIND) {
          write(held);
        }
        backlog.drop(positions(held));
      }
      if (given.isEmpty() && backlog.isEmpty()) {
        acknowledge(checkpoint);
      }
    }

    private Stream<RecordedEvent> ofKeyFrom(long position, String key) {
      return Stream.concat(window.inFlight().from(position), backlog.events())
          .filter(event -> key(event).equals(key));
    }

    private static Set<Long> positions(List<RecordedEvent> of) {
      return of.stream().map(RecordedEvent::position).collect(Collectors.toSet());
    }

    private void write(List<RecordedEvent> events) {
      for (var event : events) {
        if (!isLetter(event.position())) {
          table
              .computeIfAbsent(key(event), first -> new ArrayDeque<>())
              .add(new Letter(new UUID(7, event.position()), event));
        }
      }
    }

    /** The next letter that was asked for goes to the session, if the checkpoint is beyond it. */
    private void tryLetter() {
      if (letters.retrying() != null) {
        return;
      }
      if (letters.isEmpty()) {
        letters.add(table.values().stream().flatMap(this::due).toList());
      }
      var next = letters.poll();
      if (next == null || next.event() == null) {
        return;
      }
      if (next.letter().position() > checkpoint) {
        letters.clear();
        return;
      }
      letters.retrying(next.letter());
      trying = next.letter();
    }

    /** Of a key, its first letters as far as they were asked for. */
    private Stream<LetterQueue.Found> due(ArrayDeque<Letter> ofKey) {
      return ofKey.stream()
          .takeWhile(letter -> asked.contains(letter.id()))
          .map(
              letter ->
                  new LetterQueue.Found(
                      new DeadLetter.Due(
                          letter.id(),
                          DeadLetter.Kind.EVENT,
                          key(letter.event()),
                          letter.event().position(),
                          letter.event().commandId(),
                          1,
                          false,
                          null,
                          0),
                      letter.event()));
    }

    /** The session tries it, and the owner hears how that went. */
    private void answerLetter() {
      var letter = trying;
      if (letter == null) {
        return;
      }
      trying = null;
      var isFailed = fails(letter.position());
      if (!isFailed) {
        takeEffect(log.get((int) letter.position() - 1));
      }
      letters.answered(
          new ConsumerMessage.Retried(
              new ConsumerId("c", 1).wire(), 0, 1, letter.id(), isFailed ? "bug" : null, false));
      assertThat(letters.answer()).as("answer for the letter that is tried").isNotNull();
      letters.retrying(null);
      if (isFailed) {
        asked.remove(letter.id());
        if (bug != Bug.LETTERS_BEHIND_A_FAILED_ONE_TRIED) {
          letters.dropBehind(letter);
        }
      } else {
        remove(letter);
      }
    }

    private void remove(DeadLetter.Due letter) {
      var ofKey = table.getOrDefault(letter.key(), new ArrayDeque<>());
      ofKey.removeIf(one -> one.id().equals(letter.id()));
      if (ofKey.isEmpty() || bug == Bug.LIVE_WITH_LETTERS_LEFT) {
        parked.remove(Set.of(letter.key()));
      }
    }
  }
}
