package io.evento.server.eventstore.follow;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import java.util.List;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is missing at the end of the store, and whether a push may bring it. */
@Tag("I4")
class KnownTailTest {
  private static final UUID EPOCH = UUID.randomUUID();
  private final KnownTail tail = new KnownTail();

  private static AppendedEvents push(long base, long head) {
    return new AppendedEvents(
        EPOCH,
        base,
        head,
        LongStream.rangeClosed(base + 1, head).mapToObj(KnownTailTest::event).toList());
  }

  private static RecordedEvent event(long position) {
    return new RecordedEvent(
        position,
        new RecordedEvent.Stream("Counter", "c"),
        position,
        "Counted",
        1,
        "default",
        "2026-01-31T10:15:30.123456Z",
        UUID.randomUUID(),
        "flow",
        null,
        List.of(),
        Json.EMPTY_OBJECT,
        Json.EMPTY_OBJECT);
  }

  @Test
  void what_stands_before_a_push_may_come_by_a_push() {
    tail.offer(push(2, 4), 0);
    assertThat(tail.isMissing()).isTrue();
    assertThat(tail.isMissingPush()).isTrue();
    tail.offer(push(0, 2), 0);
    assertThat(tail.head()).isEqualTo(4);
    assertThat(tail.isMissing()).isFalse();
  }

  @Test
  void what_a_push_only_tells_of_comes_by_none() {
    tail.offer(new AppendedEvents(EPOCH, 0, 500, List.of()), 0);
    assertThat(tail.isMissing()).isTrue();
    assertThat(tail.isMissingPush()).isFalse();
    tail.offer(push(600, 601), 0);
    assertThat(tail.isMissingPush()).as("it is still among what is missing").isFalse();
    tail.extend(0, push(0, 500).events());
    assertThat(tail.isMissingPush()).as("what is missing now is another push").isTrue();
  }

  @Test
  void what_a_subscriber_has_seen_may_have_been_pushed_long_ago() {
    tail.offer(push(2, 4), 0);
    tail.claim(3);
    assertThat(tail.isMissingPush()).isFalse();
  }

  @Test
  void of_more_pushes_than_are_kept_some_have_to_be_read() {
    for (var base = 2; base < 2 + 2 * 64; base += 2) {
      tail.offer(push(base, base + 1), 0);
    }
    assertThat(tail.isMissingPush()).isFalse();
  }

  @Test
  void what_a_peer_invented_is_not_waited_for() {
    tail.offer(new AppendedEvents(EPOCH, 0, 500, List.of()), 0);
    tail.disbelieve(0);
    tail.offer(push(2, 4), 0);
    assertThat(tail.isMissingPush()).isTrue();
  }

  @Test
  void what_is_missing_is_missing_since_the_oldest_push_that_waits_came() {
    tail.restart(0);
    assertThat(tail.missingSince(99)).as("none waits").isEqualTo(99);
    tail.offer(push(2, 4), 10);
    tail.offer(push(6, 8), 11);
    tail.offer(push(2, 4), 12);
    assertThat(tail.missingSince(99)).as("told again, it waits since before").isEqualTo(10);
    tail.offer(push(0, 2), 13);
    assertThat(tail.missingSince(99))
        .as("one hole is closed, the other stood all the time")
        .isEqualTo(11);
  }
}
