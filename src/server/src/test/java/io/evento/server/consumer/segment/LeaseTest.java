package io.evento.server.consumer.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.eventstore.StorePosition;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LeaseTest {
  private static final UUID EPOCH = UUID.randomUUID();
  private static final UUID LATER = UUID.randomUUID();

  private final Lease lease =
      new Lease(
          new Lease.Claimed(
              new SegmentId(new ConsumerId("accounts", 1), 0),
              0,
              31,
              7,
              new StorePosition(EPOCH, 100),
              null),
          1_000);

  @Test
  void is_trusted_until_the_very_moment_it_ends_and_after_a_renewal_again() {
    assertThat(lease.isTrusted(999)).isTrue();
    assertThat(lease.isTrusted(1_000)).isFalse();
    lease.renewed(2_000);
    assertThat(lease.isTrusted(1_999)).isTrue();
    assertThat(lease.isTrusted(2_000)).isFalse();
  }

  @Test
  void is_trusted_by_a_clock_that_overflows() {
    lease.renewed(Long.MIN_VALUE + 5);
    assertThat(lease.isTrusted(Long.MAX_VALUE)).isTrue();
    assertThat(lease.isTrusted(Long.MIN_VALUE + 5)).isFalse();
  }

  @Test
  void has_nothing_to_write_before_something_was_reached() {
    assertThat(lease.unwritten()).isEmpty();
    lease.reach(100, null);
    lease.reach(90, null);
    assertThat(lease.unwritten()).isEmpty();
  }

  @Test
  void writes_the_furthest_that_was_reached_once() {
    var command = UUID.randomUUID();
    lease.reach(110, UUID.randomUUID());
    lease.reach(120, command);
    lease.reach(115, UUID.randomUUID());
    var step = lease.unwritten().orElseThrow();
    assertThat(step)
        .isEqualTo(
            new Lease.Step(
                lease.segment(), 7, EPOCH, 100, new StorePosition(EPOCH, 120), command, false));
    lease.wrote(step);
    assertThat(lease.unwritten()).isEmpty();
  }

  @Test
  void what_was_reached_during_a_write_is_not_forgotten() {
    lease.reach(110, null);
    var step = lease.unwritten().orElseThrow();
    lease.reach(111, null);
    lease.wrote(step);
    assertThat(lease.unwritten().orElseThrow().to().position()).isEqualTo(111);
  }

  @Test
  void a_rewind_names_the_epoch_that_the_row_is_in_and_may_go_back() {
    lease.rewind(new StorePosition(LATER, 60));
    var step = lease.unwritten().orElseThrow();
    assertThat(step.before()).isEqualTo(EPOCH);
    assertThat(step.to()).isEqualTo(new StorePosition(LATER, 60));
    assertThat(step.rewinds()).isTrue();
    lease.wrote(step);
    lease.reach(61, null);
    assertThat(lease.unwritten().orElseThrow().before()).isEqualTo(LATER);
    assertThat(lease.unwritten().orElseThrow().rewinds()).isFalse();
  }

  @Test
  void after_a_rewind_other_events_may_stand_where_some_were_doubted() {
    var letter = Set.of(UUID.randomUUID());
    lease.doubts(new PoisonCandidates(70, 70, letter, 3, true));
    lease.rewind(new StorePosition(LATER, 60));
    assertThat(lease.doubts().covers(70)).isFalse();
    assertThat(lease.doubts().ids()).isEqualTo(letter);
  }

  @Test
  void what_is_reached_after_a_rewind_that_was_not_written_may_still_go_back() {
    lease.rewind(new StorePosition(LATER, 60));
    lease.reach(61, null);
    assertThat(lease.unwritten().orElseThrow().rewinds()).isTrue();
  }

  @Test
  void doubts_about_what_does_not_come_are_forgotten_those_that_are_proven_later() {
    var letter = Set.of(UUID.randomUUID());
    var now = System.nanoTime();
    lease.doubts(new PoisonCandidates(0, 0, letter, 2, true));
    lease.forgetOldDoubts(now + TimeUnit.SECONDS.toNanos(50));
    assertThat(lease.doubts().isNone()).isFalse();
    lease.forgetOldDoubts(now + TimeUnit.SECONDS.toNanos(70));
    assertThat(lease.doubts().isNone()).isTrue();
    lease.doubts(new PoisonCandidates(0, 0, letter, 3, true));
    lease.forgetOldDoubts(now + TimeUnit.MINUTES.toNanos(9));
    assertThat(lease.doubts().areProven()).isTrue();
    lease.forgetOldDoubts(now + TimeUnit.MINUTES.toNanos(11));
    assertThat(lease.doubts().isNone()).isTrue();
  }

  @Test
  void the_first_note_clears_what_an_owner_before_left() {
    assertThat(lease.unwrittenNote()).contains("");
    lease.wroteNote("");
    assertThat(lease.unwrittenNote()).isEmpty();
  }

  @Test
  void a_note_is_written_when_it_changes_and_not_at_every_attempt() {
    lease.wroteNote("");
    lease.failing("failing at position 101");
    assertThat(lease.unwrittenNote()).contains("failing at position 101");
    lease.wroteNote("failing at position 101");
    lease.failing("failing at position 101");
    assertThat(lease.unwrittenNote()).isEmpty();
    lease.failing(null);
    assertThat(lease.unwrittenNote()).contains("");
  }
}
