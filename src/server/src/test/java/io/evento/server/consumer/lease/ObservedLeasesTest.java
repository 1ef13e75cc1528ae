package io.evento.server.consumer.lease;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.LeaseRow;
import io.evento.server.consumer.segment.SegmentId;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ObservedLeasesTest {
  private static final Duration LEASE = Duration.ofSeconds(5);
  private static final UUID SELF = UUID.randomUUID();
  private static final UUID OTHER = UUID.randomUUID();
  private static final OffsetDateTime UNTIL = OffsetDateTime.parse("2026-01-31T10:15:30.123456Z");
  private static final SegmentId SEGMENT = new SegmentId(new ConsumerId("accounts", 1), 0);

  private final ObservedLeases observedLeases = new ObservedLeases();

  @Test
  void a_released_segment_is_free_at_once() {
    assertThat(observedLeases.isFree(row(7, null, null, true), SELF, LEASE, 0)).isTrue();
  }

  @Test
  void what_is_ours_without_our_knowing_is_free_at_once() {
    assertThat(observedLeases.isFree(row(7, SELF, UNTIL, false), SELF, LEASE, 0)).isTrue();
  }

  @Test
  void an_expired_lease_is_not_free_before_it_was_seen_unchanged_for_a_whole_lease() {
    var row = row(7, OTHER, UNTIL, true);
    assertThat(isFree(row, 0)).isFalse();
    assertThat(isFree(row, 4_999)).isFalse();
    assertThat(isFree(row, 5_000)).isTrue();
  }

  @Test
  void a_lease_that_was_never_seen_is_not_free() {
    assertThat(observedLeases.isFree(row(7, OTHER, UNTIL, true), SELF, LEASE, millis(60_000)))
        .isFalse();
  }

  @Test
  void an_unchanged_lease_that_the_database_holds_for_running_is_not_free() {
    isFree(row(7, OTHER, UNTIL, false), 0);
    assertThat(isFree(row(7, OTHER, UNTIL, false), 60_000)).isFalse();
  }

  @Test
  void every_renewal_starts_the_wait_anew() {
    isFree(row(7, OTHER, UNTIL, true), 0);
    isFree(row(7, OTHER, UNTIL.plusSeconds(1), true), 3_000);
    assertThat(isFree(row(7, OTHER, UNTIL.plusSeconds(1), true), 7_999)).isFalse();
    assertThat(isFree(row(7, OTHER, UNTIL.plusSeconds(1), true), 8_000)).isTrue();
  }

  @Test
  void a_new_owner_starts_the_wait_anew() {
    isFree(row(7, OTHER, UNTIL, true), 0);
    assertThat(isFree(row(8, UUID.randomUUID(), UNTIL, true), 5_000)).isFalse();
  }

  @Test
  void a_row_that_was_out_of_sight_is_watched_anew() {
    isFree(row(7, OTHER, UNTIL, true), 0);
    observedLeases.see(List.of(), millis(1_000));
    assertThat(isFree(row(7, OTHER, UNTIL, true), 5_000)).isFalse();
  }

  private boolean isFree(LeaseRow row, long atMillis) {
    observedLeases.see(List.of(row), millis(atMillis));
    return observedLeases.isFree(row, SELF, LEASE, millis(atMillis));
  }

  private static long millis(long millis) {
    return Duration.ofMillis(millis).toNanos();
  }

  private static LeaseRow row(
      long fence, @Nullable UUID owner, @Nullable OffsetDateTime until, boolean expired) {
    return new LeaseRow(SEGMENT, fence, owner, until, expired);
  }
}
