package io.evento.bundle.consumer;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage.Ack;
import io.evento.protocol.ConsumerMessage.Credit;
import io.evento.protocol.ConsumerMessage.Disable;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.ConsumerMessage.Events;
import io.evento.protocol.ConsumerMessage.Nack;
import io.evento.protocol.Message;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Of all who want a segment one changes rows, and goes on where the last one stopped. */
class SegmentHandoverTest extends ConsumersFixture {
  @Test
  void its_own_position_is_told_where_it_is_ahead_and_nothing_is_done_twice() throws Exception {
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 3, 1, 2, 3));
    awaitAck(3);
    enable(segment(0, 127, 2, 1));
    awaitSaid(Credit.class, 2);
    assertThat(said(Credit.class).get(1).position()).isEqualTo(3);
    consumers.events(events(2, 1, 4, 2, 3, 4));
    awaitAck(4);
    assertThat(numbersStored()).containsExactly("1", "2", "3", "4");
  }

  @Test
  void whoever_was_fenced_off_changes_nothing_and_gives_up() throws Exception {
    enable(segment(0, 127, 1, 0));
    awaitSaid(Credit.class, 1);
    execute("update evento_checkpoint set fence = 2");
    consumers.events(events(1, 0, 3, 1, 2, 3));
    awaitSaid(Disable.class, 1);
    assertThat(numbersStored()).isEmpty();
    assertThat(said(Ack.class)).isEmpty();
    consumers.events(events(1, 3, 4, 4));
    enable(segment(0, 127, 1, 0));
    awaitSaid(Disable.class, 2);
    assertThat(checkpoints()).containsExactly("0-127@0 fence 2");
  }

  @Test
  void a_checkpoint_that_stands_elsewhere_is_not_moved() throws Exception {
    enable(segment(0, 127, 1, 0));
    awaitSaid(Credit.class, 1);
    execute("update evento_checkpoint set fence = 7, position = 2");
    consumers.events(events(1, 0, 3, 1, 2, 3));
    awaitSaid(Disable.class, 1);
    assertThat(numbersStored()).isEmpty();
  }

  @Test
  void a_new_fence_waits_for_the_handler_that_runs() throws Exception {
    numbers.gate = new CountDownLatch(1);
    numbers.reached = new CountDownLatch(1);
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 1, 1));
    consumers.events(events(1, 1, 2, 2));
    assertThat(numbers.reached.await(10, TimeUnit.SECONDS)).isTrue();
    enable(segment(0, 127, 2, 0));
    assertThat(said(Credit.class)).hasSize(1);
    numbers.gate.countDown();
    awaitSaid(Credit.class, 2);
    assertThat(said(Credit.class).get(1).position()).isEqualTo(1);
    assertThat(said(Ack.class)).as("the old fence acknowledges nothing any more").isEmpty();
    consumers.events(events(2, 1, 2, 2));
    awaitAck(2);
    assertThat(numbersStored()).containsExactly("1", "2");
    assertThat(numbers.runningMost).hasValue(1);
  }

  @Test
  void what_a_link_gave_is_over_when_the_link_is() {
    enable(segment(0, 127, 1, 0));
    awaitSaid(Credit.class, 1);
    consumers.lost(this);
    consumers.events(events(1, 0, 1, 1));
    await().atMost(ofSeconds(5)).until(consumers::isIdle);
    assertThat(numbersStored()).isEmpty();
  }

  /** After a restore: fences begin again where the store has forgotten them. */
  @Test
  void a_lease_under_a_lower_fence_is_given_back_so_that_a_higher_one_can_come() {
    consumers.enable(new Enable("plain:1", 0, 0, 127, 7, EPOCH, 0), answers::add, this);
    var other = new CopyOnWriteArrayList<Message>();
    consumers.enable(new Enable("plain:1", 0, 0, 127, 1, EPOCH, 0), other::add, other);
    assertThat(other).containsExactly(new Disable("plain:1", 0, 1));
    consumers.enable(new Enable("plain:1", 0, 0, 127, 1_001, EPOCH, 0), other::add, other);
    consumers.disable(new Disable("plain:1", 0, 7), this);
    consumers.events(new Events("plain:1", 0, 1_001, EPOCH, 0, 1, List.of(event(1))));
    await().atMost(ofSeconds(5)).until(plain.seen::size, Integer.valueOf(1)::equals);
  }

  @Test
  void a_node_that_ends_its_lease_late_does_not_end_that_of_another_under_the_same_fence() {
    consumers.enable(new Enable("plain:1", 0, 0, 127, 1, EPOCH, 0), answers::add, this);
    var other = new CopyOnWriteArrayList<Message>();
    consumers.enable(new Enable("plain:1", 0, 0, 127, 1, EPOCH, 0), other::add, other);
    consumers.disable(new Disable("plain:1", 0, 1), this);
    consumers.events(new Events("plain:1", 0, 1, EPOCH, 0, 1, List.of(event(1))));
    await().atMost(ofSeconds(5)).until(plain.seen::size, Integer.valueOf(1)::equals);
    consumers.disable(new Disable("plain:1", 0, 1), other);
    await().atMost(ofSeconds(5)).until(consumers::isIdle);
  }

  @Test
  void a_split_goes_on_in_both_halves_and_equal_halves_are_joined() {
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 3, 1, 2, 3));
    awaitAck(3);
    enable(segment(64, 127, 2, 0));
    awaitSaid(Credit.class, 2);
    assertThat(checkpoints()).containsExactly("0-63@3 fence 1", "64-127@3 fence 2");
    enable(segment(0, 127, 3, 0));
    awaitSaid(Credit.class, 3);
    assertThat(checkpoints()).containsExactly("0-127@3 fence 3");
  }

  @Test
  void halves_that_stand_apart_are_not_joined() {
    enable(segment(0, 127, 1, 0));
    awaitSaid(Credit.class, 1);
    enable(segment(64, 127, 2, 0));
    awaitSaid(Credit.class, 2);
    consumers.events(events(2, 0, 3, 1));
    awaitAck(3);
    enable(segment(0, 127, 3, 0));
    awaitSaid(Disable.class, 1);
    assertThat(checkpoints()).containsExactly("0-63@0 fence 1", "64-127@3 fence 2");
  }

  @Test
  void a_bundle_that_stops_gives_its_segments_up_without_waiting_for_retries() {
    numbers.failing.add(1L);
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 1, 1));
    awaitSaid(Nack.class, 3);
    consumers.stop();
    await().atMost(ofSeconds(2)).until(consumers::isIdle);
    assertThat(said(Disable.class)).containsExactly(new Disable("numbers:1", 0, 1));
  }

  @Test
  void whoever_froze_in_its_transaction_keeps_no_other_segment_waiting() throws Exception {
    enable(segment(0, 63, 1, 0));
    enable(new Enable("numbers:1", 1, 64, 127, 1, EPOCH, 0));
    awaitSaid(Credit.class, 2);
    try (var frozen = DATABASE.getConnection();
        var statement = frozen.createStatement()) {
      frozen.setAutoCommit(false);
      statement.execute("select from evento_checkpoint where first_slot = 0 for update");
      enable(segment(0, 63, 2, 0));
      await()
          .atMost(ofSeconds(10))
          .until(() -> !rows("select 1 from pg_locks where not granted").isEmpty());
      enable(new Enable("numbers:1", 1, 64, 127, 2, EPOCH, 0));
      await()
          .atMost(ofSeconds(10))
          .until(
              () -> said(Credit.class).stream().anyMatch(c -> c.segment() == 1 && c.fence() == 2));
      frozen.rollback();
    }
    await()
        .atMost(ofSeconds(20))
        .until(() -> said(Credit.class).stream().anyMatch(c -> c.segment() == 0 && c.fence() == 2));
  }

  @Test
  void where_an_operator_put_the_segment_elsewhere_the_own_checkpoint_follows_once() {
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 9, 8, 9));
    awaitAck(9);
    enable(new Enable("numbers:1", 0, 0, 127, 5, EPOCH, 4, 5));
    awaitSaid(Credit.class, 2);
    assertThat(said(Credit.class).get(1).position()).isEqualTo(4);
    consumers.events(events(5, 4, 6, 6));
    awaitAck(6);
    enable(new Enable("numbers:1", 0, 0, 127, 6, EPOCH, 4, 5));
    awaitSaid(Credit.class, 3);
    assertThat(said(Credit.class).get(2).position()).isEqualTo(6);
  }
}
