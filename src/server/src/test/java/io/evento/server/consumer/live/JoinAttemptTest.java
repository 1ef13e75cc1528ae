package io.evento.server.consumer.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.Json;
import io.evento.protocol.LiveMessage.RangeProgress;
import io.evento.protocol.LiveMessage.Update;
import io.evento.server.consumer.lease.OwnedSegments.Held;
import io.evento.server.consumer.live.JoinAttempt.Verdict;
import io.evento.server.consumer.live.QueryWatch.Holding;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class JoinAttemptTest {
  private static final UUID EPOCH = UUID.randomUUID();
  private static final Held LOW = new Held(0, 0, 63, 7);
  private static final Held HIGH = new Held(1, 64, 127, 9);
  private static final long NOW = TimeUnit.SECONDS.toNanos(100);

  private final JoinAttempt joinAttempt = new JoinAttempt(1, "accounts:1");

  private static Holding holding(Held... held) {
    return new Holding(Holding.signature(List.of(held)), List.of(held));
  }

  private static Update update(int segment, UUID epoch, long position, @Nullable Json payload) {
    return new Update(List.of(), "accounts:1", segment, 7, epoch, position, 0, payload);
  }

  private static Update update(int segment, long position) {
    return update(segment, EPOCH, position, Json.EMPTY_OBJECT);
  }

  @Test
  void a_question_is_asked_once_every_slot_is_vouched_for() {
    assertThat(joinAttempt.watchedBy("a", holding(LOW), NOW)).isFalse();
    assertThat(joinAttempt.slotsMissing()).isEqualTo(64);
    assertThat(joinAttempt.watchedBy("b", holding(), NOW)).isFalse();
    assertThat(joinAttempt.watchedBy("c", holding(HIGH), NOW)).isTrue();
  }

  @Test
  void what_the_answer_covers_is_dropped_and_the_next_position_is_not() {
    joinAttempt.watchedBy("a", holding(LOW, HIGH), NOW);
    joinAttempt.answered(
        List.of(new RangeProgress(0, 63, EPOCH, 100), new RangeProgress(64, 127, EPOCH, 90)));
    assertThat(joinAttempt.verdict(update(0, 100))).isEqualTo(Verdict.COVERED);
    assertThat(joinAttempt.verdict(update(0, 101))).isEqualTo(Verdict.NEW);
    assertThat(joinAttempt.verdict(update(1, 91))).isEqualTo(Verdict.NEW);
  }

  @Test
  void without_a_checkpoint_beside_its_rows_nothing_counts_as_covered() {
    joinAttempt.watchedBy("a", holding(LOW, HIGH), NOW);
    joinAttempt.answered(List.of());
    assertThat(joinAttempt.verdict(update(0, 1))).isEqualTo(Verdict.NEW);
  }

  @Test
  void rows_of_halves_that_were_joined_cover_up_to_where_both_stand() {
    joinAttempt.watchedBy("a", holding(LOW, HIGH), NOW);
    joinAttempt.answered(
        List.of(
            new RangeProgress(0, 31, EPOCH, 80),
            new RangeProgress(32, 63, EPOCH, 80),
            new RangeProgress(64, 127, EPOCH, 10)));
    assertThat(joinAttempt.verdict(update(0, 80))).isEqualTo(Verdict.COVERED);
    assertThat(joinAttempt.verdict(update(0, 81))).isEqualTo(Verdict.NEW);
  }

  @Test
  void another_epoch_a_strange_segment_and_what_cannot_be_told_end_the_round() {
    joinAttempt.watchedBy("a", holding(LOW, HIGH), NOW);
    joinAttempt.answered(List.of(new RangeProgress(0, 127, EPOCH, 100)));
    assertThat(joinAttempt.verdict(update(0, UUID.randomUUID(), 101, Json.EMPTY_OBJECT)))
        .isEqualTo(Verdict.BROKEN);
    assertThat(joinAttempt.verdict(update(5, 101))).isEqualTo(Verdict.BROKEN);
    assertThat(joinAttempt.verdict(update(0, EPOCH, 101, null))).isEqualTo(Verdict.BROKEN);
  }

  @Test
  void a_number_left_out_is_noticed_at_the_next_update_or_beat() {
    var holding = holding(LOW, HIGH);
    joinAttempt.watchedBy("a", holding, NOW);
    assertThat(joinAttempt.isNext("a", 1, NOW)).isTrue();
    assertThat(joinAttempt.isAsBefore("a", 1, holding.signature(), NOW)).isTrue();
    assertThat(joinAttempt.isAsBefore("a", 2, holding.signature(), NOW)).isFalse();
    assertThat(joinAttempt.isNext("a", 3, NOW)).isFalse();
  }

  @Test
  void another_fence_is_another_signature() {
    var before = holding(LOW, HIGH);
    joinAttempt.watchedBy("a", before, NOW);
    var moved = holding(new Held(0, 0, 63, 8), HIGH);
    assertThat(joinAttempt.isAsBefore("a", 0, moved.signature(), NOW)).isFalse();
    assertThat(joinAttempt.isAsBefore("a", 0, before.signature(), NOW)).isTrue();
  }

  @Test
  void a_node_that_vouches_and_says_nothing_is_silent_and_one_that_vouches_for_nothing_is_not() {
    var second = TimeUnit.SECONDS.toNanos(1);
    joinAttempt.watchedBy("a", holding(LOW, HIGH), NOW);
    joinAttempt.watchedBy("b", holding(), NOW);
    assertThat(joinAttempt.isSilent(NOW + second, second)).isFalse();
    assertThat(joinAttempt.isSilent(NOW + second + 1, second)).isTrue();
    joinAttempt.isNext("a", 1, NOW + second);
    assertThat(joinAttempt.isSilent(NOW + second + 1, second)).isFalse();
  }

  @Test
  void a_holding_travels_as_text() {
    var holding = holding(LOW, HIGH);
    assertThat(Holding.of(holding.text())).isEqualTo(holding);
    assertThat(Holding.of(holding().text())).isEqualTo(holding());
  }
}
