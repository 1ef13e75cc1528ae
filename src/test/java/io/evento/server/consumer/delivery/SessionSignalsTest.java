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

  private final SessionSignals sessionSignals = new SessionSignals();

  @Test
  void is_empty_until_something_is_said_and_after_it_was_collected() {
    assertThat(sessionSignals.collect().isOpen()).isFalse();
    sessionSignals.credit(credit(5, null));
    sessionSignals.collect();
    var again = sessionSignals.collect();
    assertThat(again.isOpen()).isFalse();
    assertThat(again.credit()).isZero();
  }

  @Test
  void credits_add_up_to_a_limit() {
    sessionSignals.credit(credit(5, null));
    sessionSignals.credit(credit(6, null));
    assertThat(sessionSignals.collect().credit()).isEqualTo(11);
    for (var i = 0; i < 10; i++) {
      sessionSignals.credit(credit(Integer.MAX_VALUE, null));
    }
    assertThat(sessionSignals.collect().credit()).isEqualTo(4_096);
  }

  @Test
  void the_bundles_place_outlives_later_credits() {
    sessionSignals.credit(credit(5, 42L));
    sessionSignals.credit(credit(5, null));
    assertThat(sessionSignals.collect().standing()).isEqualTo(new StorePosition(EPOCH, 42));
  }

  @Test
  void of_many_acknowledgements_the_furthest_is_kept() {
    sessionSignals.ack(new Ack("accounts:1", 0, 7, EPOCH, 10));
    sessionSignals.ack(new Ack("accounts:1", 0, 7, EPOCH, 30));
    sessionSignals.ack(new Ack("accounts:1", 0, 7, EPOCH, 20));
    assertThat(sessionSignals.collect().acked()).isEqualTo(new Ack("accounts:1", 0, 7, EPOCH, 30));
  }

  @Test
  void the_last_complaint_is_kept() {
    sessionSignals.nack(new Nack("accounts:1", 0, 7, 10, 1, "first"));
    sessionSignals.nack(new Nack("accounts:1", 0, 7, 10, 2, "second"));
    assertThat(sessionSignals.collect().failed())
        .isEqualTo(new Nack("accounts:1", 0, 7, 10, 2, "second"));
  }

  private static Credit credit(int events, @Nullable Long position) {
    return new Credit("accounts:1", 0, 7, events, position == null ? null : EPOCH, position);
  }
}
