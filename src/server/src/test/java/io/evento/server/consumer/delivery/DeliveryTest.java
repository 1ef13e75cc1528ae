package io.evento.server.consumer.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.ConsumerMessage;
import io.evento.server.consumer.Events;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.consumer.segment.Slots;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.telemetry.ConsumerTimes;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class DeliveryTest {
  private static final UUID EPOCH = UUID.randomUUID();
  private static final long NOW = TimeUnit.SECONDS.toNanos(1_000);
  private static final long TRUSTED_UNTIL = NOW + TimeUnit.SECONDS.toNanos(4);

  private final RecordingBundle bundle = new RecordingBundle(UUID.randomUUID());
  private final Lease lease =
      new Lease(
          new Lease.Claimed(
              new SegmentId(new ConsumerId("accounts", 1), 2), 64, 95, 7, at(10), null),
          TRUSTED_UNTIL);
  private final Delivery delivery =
      new Delivery(
          lease,
          bundle.session,
          Filter.ALL,
          made -> new EventSender(made, letters -> () -> {}, ConsumerTimes.unmeasured()));
  private final EventSender sender = (EventSender) delivery.sender();

  @BeforeEach
  void enable() {
    delivery.enable(at(10));
  }

  @Test
  void enabling_says_segment_slots_fence_and_place() {
    assertThat(bundle.heard())
        .containsExactly(new ConsumerMessage.Enable("accounts:1", 2, 64, 95, 7, EPOCH, 10));
  }

  @Test
  void nothing_is_sent_before_the_bundle_gave_credit() {
    delivery.run(at(10));
    offer(11, 12);
    assertThat(sender.pump(NOW)).isZero();
    assertThat(bundle.positions()).isEmpty();
  }

  @Test
  void no_more_is_sent_than_there_is_credit_for() {
    delivery.run(at(10));
    grant(2);
    offer(11, 12, 15);
    assertThat(sender.pump(NOW)).isEqualTo(2);
    assertThat(bundle.positions()).containsExactly(11L, 12L);
    grant(1);
    assertThat(sender.pump(NOW)).isEqualTo(1);
    assertThat(bundle.positions()).containsExactly(11L, 12L, 15L);
  }

  @Test
  void the_end_of_its_session_counts_once_however_often_it_is_noted() {
    delivery.run(at(10));
    grant(1);
    offer(11, 12);
    sender.pump(NOW);
    delivery.doubtWhatWasHanded();
    delivery.doubtWhatWasHanded();
    assertThat(lease.doubts().sessions()).isEqualTo(1);
    assertThat(lease.doubts().covers(11)).isTrue();
  }

  @Test
  void messages_join_without_a_gap() {
    delivery.run(at(10));
    grant(1);
    offer(11, 14);
    delivery.looked(at(20), null);
    sender.pump(NOW);
    grant(1);
    sender.pump(NOW);
    var messages = bundle.heard(ConsumerMessage.Events.class);
    assertThat(messages.get(0).from()).isEqualTo(10);
    assertThat(messages.get(0).upTo()).isEqualTo(11);
    assertThat(messages.get(1).from()).isEqualTo(11);
    assertThat(messages.get(1).upTo()).as("nothing waits any more").isEqualTo(20);
  }

  @Test
  void a_message_has_64_events_and_the_65th_goes_with_the_next() {
    delivery.run(at(10));
    grant(1_000);
    for (var position = 11L; position < 11 + 65; position++) {
      delivery.offer(Events.event(position, "a"));
    }
    sender.pump(NOW);
    assertThat(bundle.heard(ConsumerMessage.Events.class))
        .extracting(message -> message.events().size())
        .containsExactly(64, 1);
  }

  @Test
  void a_message_has_32_KB_and_a_larger_event_goes_alone() {
    delivery.run(at(10));
    grant(1_000);
    for (var size : List.of(10_000, 10_000, 10_000, 10_000, 200_000, 10)) {
      delivery.offer(
          Events.event(
              delivery.looked().position() + 1, "a", "T", "bank", '"' + "x".repeat(size) + '"'));
    }
    sender.pump(NOW);
    delivery.landed(EPOCH, 11);
    sender.pump(NOW);
    assertThat(bundle.heard(ConsumerMessage.Events.class))
        .extracting(message -> message.events().size())
        .containsExactly(3, 1, 1, 1);
  }

  @Test
  void while_two_messages_are_not_acknowledged_events_wait_to_share_the_next() {
    delivery.run(at(10));
    grant(100);
    for (var position = 11L; position < 16; position++) {
      offer(position);
      sender.pump(NOW);
    }
    assertThat(bundle.positions()).containsExactly(11L, 12L);
    delivery.landed(EPOCH, 11);
    sender.pump(NOW);
    assertThat(bundle.heard(ConsumerMessage.Events.class))
        .extracting(message -> message.events().size())
        .containsExactly(1, 1, 3);
  }

  @Test
  void what_is_not_acknowledged_never_exceeds_a_mebibyte_and_a_message() {
    delivery.run(at(10));
    grant(4_096);
    for (var position = 11L; position < 11 + 200; position++) {
      delivery.offer(Events.event(position, "a", "T", "bank", '"' + "x".repeat(20_000) + '"'));
    }
    sender.pump(NOW);
    var sent = bundle.events().size() * 20_000L;
    assertThat(sent).isBetween(1_000_000L, (1L << 20) + Backlog.MESSAGE_BYTES_MAX);
    assertThat(delivery.hasRoom()).as("what waits is too much already").isFalse();
    assertThat(
            delivery.landed(EPOCH, bundle.last(ConsumerMessage.Events.class).orElseThrow().upTo()))
        .isTrue();
    assertThat(sender.pump(NOW)).isPositive();
  }

  @Test
  void an_owner_that_no_longer_trusts_its_lease_sends_nothing() {
    delivery.run(at(10));
    grant(10);
    offer(11);
    assertThat(sender.pump(TRUSTED_UNTIL)).isZero();
    lease.renewed(TRUSTED_UNTIL + 1);
    assertThat(sender.pump(TRUSTED_UNTIL)).isEqualTo(1);
  }

  @Test
  void an_owner_whose_write_was_refused_sends_nothing_more() {
    delivery.run(at(10));
    grant(10);
    delivery.ifOurs(Optional.of("written"), written -> offer(11));
    assertThat(sender.pump(NOW)).isEqualTo(1);
    delivery.ifOurs(Optional.empty(), written -> offer(12));
    assertThat(delivery.hasLostItsPlace()).isTrue();
    offer(13);
    assertThat(sender.pump(NOW)).isZero();
    delivery.landed(EPOCH, 11);
    delivery.backlog().clear();
    delivery.looked(at(5_000), null);
    bundle.forget();
    assertThat(sender.moveOn(NOW)).isZero();
    assertThat(bundle.heard()).isEmpty();
  }

  @Test
  void no_event_of_a_parked_key_is_sent_nor_what_comes_after_it() {
    delivery.run(at(10));
    grant(10);
    delivery.parked().add(List.of(Slots.key(Events.event(1, "a").aggregate())));
    delivery.offer(Events.event(11, "b"));
    delivery.offer(Events.event(12, "a"));
    delivery.offer(Events.event(13, "b"));
    assertThat(sender.pump(NOW)).isEqualTo(1);
    assertThat(sender.pump(NOW)).isZero();
    assertThat(bundle.positions()).containsExactly(11L);
  }

  @Test
  void what_others_get_moves_it_on_after_200_ms() {
    delivery.run(at(10));
    delivery.looked(at(11), null);
    assertThat(sender.moveOn(NOW)).isZero();
    bundle.forget();
    delivery.landed(EPOCH, 11);
    delivery.looked(at(12), null);
    assertThat(sender.moveOn(NOW + 1_000)).isEqualTo(EventSender.SILENT_NANOS_MAX - 1_000);
    assertThat(bundle.heard()).isEmpty();
    assertThat(sender.moveOn(NOW + EventSender.SILENT_NANOS_MAX)).isZero();
    assertThat(bundle.heard())
        .containsExactly(new ConsumerMessage.Events("accounts:1", 2, 7, EPOCH, 11, 12, List.of()));
  }

  @Test
  void what_others_get_moves_it_on_after_1000_positions() {
    delivery.run(at(10));
    delivery.looked(at(11), null);
    sender.moveOn(NOW);
    delivery.landed(EPOCH, 11);
    bundle.forget();
    delivery.looked(at(1_010), null);
    assertThat(sender.moveOn(NOW)).isPositive();
    delivery.looked(at(1_011), null);
    assertThat(sender.moveOn(NOW)).isZero();
    assertThat(bundle.last(ConsumerMessage.Events.class).orElseThrow().upTo()).isEqualTo(1_011);
  }

  @Test
  void it_is_moved_on_again_only_after_the_last_time_was_acknowledged() {
    delivery.run(at(10));
    delivery.looked(at(5_000), null);
    sender.moveOn(NOW);
    delivery.looked(at(9_000), null);
    sender.moveOn(NOW);
    assertThat(bundle.heard(ConsumerMessage.Events.class)).hasSize(1);
    delivery.landed(EPOCH, 5_000);
    sender.moveOn(NOW);
    assertThat(bundle.heard(ConsumerMessage.Events.class)).hasSize(2);
  }

  @Nested
  class An_acknowledgement {
    @BeforeEach
    void send() {
      delivery.run(at(10));
      grant(10);
      offer(11, 12, 15);
      sender.pump(NOW);
    }

    @Test
    void moves_the_checkpoint_with_the_command_that_stands_there() {
      assertThat(delivery.landed(EPOCH, 12)).isTrue();
      var step = lease.unwritten().orElseThrow();
      assertThat(step.to()).isEqualTo(at(12));
      assertThat(step.command()).isEqualTo(bundle.events().get(1).commandId());
      assertThat(delivery.acked()).isEqualTo(12);
    }

    @Test
    void of_more_than_was_sent_is_dropped() {
      assertThat(delivery.landed(EPOCH, 16)).isFalse();
      assertThat(lease.unwritten()).isEmpty();
    }

    @Test
    void of_another_epoch_is_dropped() {
      assertThat(delivery.landed(UUID.randomUUID(), 12)).isFalse();
      assertThat(lease.unwritten()).isEmpty();
    }

    @Test
    void that_comes_late_changes_nothing() {
      delivery.landed(EPOCH, 15);
      assertThat(delivery.landed(EPOCH, 11)).isTrue();
      assertThat(delivery.acked()).isEqualTo(15);
    }

    @Test
    void past_the_failing_event_clears_the_note_and_none_before_does() {
      lease.wroteNote("");
      delivery.failing(new Failing(12, "failing at position 12"));
      delivery.landed(EPOCH, 11);
      assertThat(lease.unwrittenNote()).contains("failing at position 12");
      delivery.landed(EPOCH, 12);
      assertThat(lease.unwrittenNote()).isEmpty();
    }

    @Test
    void leaves_no_note_about_what_is_done_by_then() {
      lease.wroteNote("");
      delivery.landed(EPOCH, 12);
      delivery.failing(new Failing(12, "nothing was said of it"));
      assertThat(lease.unwrittenNote()).isEmpty();
    }
  }

  @Test
  void a_bundle_that_stands_beyond_the_failing_event_clears_the_note() {
    lease.wroteNote("");
    delivery.failing(new Failing(12, "nothing was said of it"));
    delivery.run(at(12));
    assertThat(lease.unwrittenNote()).isEmpty();
  }

  @Test
  void a_bundle_that_went_back_does_not_move_the_checkpoint_back() {
    delivery.run(at(4));
    grant(10);
    offer(5, 6, 11);
    sender.pump(NOW);
    delivery.landed(EPOCH, 6);
    assertThat(lease.unwritten()).isEmpty();
    delivery.landed(EPOCH, 11);
    assertThat(lease.unwritten().orElseThrow().to()).isEqualTo(at(11));
  }

  @Test
  void draining_sends_nothing_more_and_is_quiet_once_all_is_acknowledged() {
    delivery.run(at(10));
    grant(1);
    offer(11, 12);
    sender.pump(NOW);
    delivery.drain();
    grant(10);
    assertThat(sender.pump(NOW)).isZero();
    assertThat(delivery.isQuiet()).isFalse();
    delivery.landed(EPOCH, 11);
    assertThat(delivery.isQuiet()).isTrue();
  }

  @Test
  void draining_is_quiet_at_once_where_nothing_is_in_flight() {
    delivery.drain();
    assertThat(delivery.isQuiet()).isTrue();
  }

  @Test
  void ending_tells_the_session_which_fence_is_over() {
    delivery.end();
    assertThat(bundle.last(ConsumerMessage.Disable.class))
        .contains(new ConsumerMessage.Disable("accounts:1", 2, 7));
  }

  private void grant(int events) {
    delivery.signals().credit(new ConsumerMessage.Credit("accounts:1", 2, 7, events, null, null));
    sender.hear(delivery.signals().collect());
  }

  private void offer(long... positions) {
    for (var position : positions) {
      delivery.offer(Events.event(position, "a"));
      delivery.looked(at(position), null);
    }
  }

  private static StorePosition at(long position) {
    return new StorePosition(EPOCH, position);
  }
}
