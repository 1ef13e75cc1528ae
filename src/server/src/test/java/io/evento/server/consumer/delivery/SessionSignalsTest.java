package io.evento.server.consumer.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.ConsumerMessage.Ack;
import io.evento.protocol.ConsumerMessage.Credit;
import io.evento.protocol.ConsumerMessage.Nack;
import io.evento.server.eventstore.StorePosition;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SessionSignalsTest {
  private static final UUID EPOCH = UUID.randomUUID();

  private final SessionSignals signals = new SessionSignals();

  @Test
  void is_empty_until_something_is_said_and_after_it_was_collected() {
    assertThat(signals.collect().isOpen()).isFalse();
    signals.credit(credit(5, null));
    signals.collect();
    var again = signals.collect();
    assertThat(again.isOpen()).isFalse();
    assertThat(again.credit()).isZero();
  }

  @Test
  void credits_add_up_to_a_limit() {
    signals.credit(credit(5, null));
    signals.credit(credit(6, null));
    assertThat(signals.collect().credit()).isEqualTo(11);
    for (var i = 0; i < 10; i++) {
      signals.credit(credit(Integer.MAX_VALUE, null));
    }
    assertThat(signals.collect().credit()).isEqualTo(4_096);
  }

  @Test
  void the_bundles_place_outlives_later_credits() {
    signals.credit(credit(5, 42L));
    signals.credit(credit(5, null));
    assertThat(signals.collect().checkpoint()).isEqualTo(new StorePosition(EPOCH, 42));
  }

  @Test
  void of_many_acknowledgements_the_furthest_is_kept() {
    signals.ack(new Ack("accounts:1", 0, 7, EPOCH, 10));
    signals.ack(new Ack("accounts:1", 0, 7, EPOCH, 30));
    signals.ack(new Ack("accounts:1", 0, 7, EPOCH, 20));
    assertThat(signals.collect().acked()).isEqualTo(new Ack("accounts:1", 0, 7, EPOCH, 30));
  }

  @Test
  void the_last_complaint_is_kept() {
    signals.nack(new Nack("accounts:1", 0, 7, 10, 1, "first"));
    signals.nack(new Nack("accounts:1", 0, 7, 10, 2, "second"));
    assertThat(signals.collect().failed()).isEqualTo(new Nack("accounts:1", 0, 7, 10, 2, "second"));
  }

  private static Credit credit(int events, @Nullable Long position) {
    return new Credit("accounts:1", 0, 7, events, position == null ? null : EPOCH, position);
  }
}
