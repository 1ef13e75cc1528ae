package io.evento.server.eventstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What the ring holds, and when it lets go of it. */
class RingTest {
  private static RecordedEvent event(long position, int size) {
    return new RecordedEvent(
        position,
        new RecordedEvent.Stream("Account", "1"),
        position,
        "A",
        "bank",
        "2026-01-31T10:15:30.123456Z",
        new UUID(0, position),
        "c",
        null,
        Json.EMPTY_OBJECT,
        new Json("x".repeat(size)));
  }

  private static Ring filled(Ring ring, long last) {
    for (var position = ring.head() + 1; position <= last; position++) {
      ring.add(event(position, 10));
    }
    return ring;
  }

  @Test
  void holds_as_many_as_it_may_and_forgets_the_oldest() {
    var ring = filled(new Ring(4, 1 << 20), 4);
    assertThat(ring.holdsAfter(0)).isTrue();
    filled(ring, 5);
    assertThat(ring.holdsAfter(0)).isFalse();
    assertThat(ring.holdsAfter(1)).isTrue();
    assertThat(ring.after(1, 10, 1 << 20))
        .extracting(RecordedEvent::position)
        .containsExactly(2L, 3L, 4L, 5L);
    assertThat(ring.after(5, 10, 1 << 20)).isEmpty();
    assertThat(ring.holdsAfter(6)).isFalse();
  }

  @Test
  void forgets_by_size_but_keeps_the_last() {
    var ring = filled(new Ring(100, 3_000), 5);
    ring.add(event(6, 2_000));
    assertThat(ring.holdsAfter(4)).isTrue();
    assertThat(ring.holdsAfter(3)).isFalse();
    ring.add(event(7, 10_000));
    assertThat(ring.holdsAfter(6)).isTrue();
    assertThat(ring.holdsAfter(5)).isFalse();
  }

  @Test
  void takes_the_next_position_and_no_other() {
    var ring = filled(new Ring(4, 1 << 20), 2);
    assertThatThrownBy(() -> ring.add(event(4, 10))).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> ring.add(event(2, 10))).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void begins_anew_anywhere() {
    var ring = filled(new Ring(4, 1 << 20), 3);
    ring.restart(100);
    assertThat(ring.holdsAfter(3)).isFalse();
    assertThat(ring.after(100, 5, 100)).isEmpty();
    filled(ring, 101);
    assertThat(ring.after(100, 5, 100)).hasSize(1);
  }
}
