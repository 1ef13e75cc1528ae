package io.evento.server.eventstore.follow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What the ring holds, and when it lets go of it. */
class RecentEventsTest {
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

  private static RecentEvents filled(RecentEvents recentEvents, long last) {
    for (var position = recentEvents.head() + 1; position <= last; position++) {
      recentEvents.add(event(position, 10));
    }
    return recentEvents;
  }

  @Test
  void holds_as_many_as_it_may_and_forgets_the_oldest() {
    var recentEvents = filled(new RecentEvents(4, 1 << 20), 4);
    assertThat(recentEvents.holdsAfter(0)).isTrue();
    filled(recentEvents, 5);
    assertThat(recentEvents.holdsAfter(0)).isFalse();
    assertThat(recentEvents.holdsAfter(1)).isTrue();
    assertThat(recentEvents.after(1, 10, 1 << 20))
        .extracting(RecordedEvent::position)
        .containsExactly(2L, 3L, 4L, 5L);
    assertThat(recentEvents.after(5, 10, 1 << 20)).isEmpty();
    assertThat(recentEvents.holdsAfter(6)).isFalse();
  }

  @Test
  void forgets_by_size_but_keeps_the_last() {
    var recentEvents = filled(new RecentEvents(100, 3_000), 5);
    recentEvents.add(event(6, 2_000));
    assertThat(recentEvents.holdsAfter(4)).isTrue();
    assertThat(recentEvents.holdsAfter(3)).isFalse();
    recentEvents.add(event(7, 10_000));
    assertThat(recentEvents.holdsAfter(6)).isTrue();
    assertThat(recentEvents.holdsAfter(5)).isFalse();
  }

  @Test
  void takes_the_next_position_and_no_other() {
    var recentEvents = filled(new RecentEvents(4, 1 << 20), 2);
    assertThatThrownBy(() -> recentEvents.add(event(4, 10)))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> recentEvents.add(event(2, 10)))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void begins_anew_anywhere() {
    var recentEvents = filled(new RecentEvents(4, 1 << 20), 3);
    recentEvents.restart(100);
    assertThat(recentEvents.holdsAfter(3)).isFalse();
    assertThat(recentEvents.after(100, 5, 100)).isEmpty();
    filled(recentEvents, 101);
    assertThat(recentEvents.after(100, 5, 100)).hasSize(1);
  }
}
