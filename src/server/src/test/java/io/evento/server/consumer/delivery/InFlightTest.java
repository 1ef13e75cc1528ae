package io.evento.server.consumer.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.consumer.Events;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class InFlightTest {
  private final InFlight inFlight = new InFlight();

  @Test
  void names_the_command_of_the_event_that_was_acknowledged() {
    var first = Events.event(3, "a-1");
    var second = Events.event(5, "a-1");
    inFlight.add(first);
    inFlight.add(second);
    assertThat(inFlight.landed(3)).isEqualTo(first.commandId());
    assertThat(inFlight.landed(5)).isEqualTo(second.commandId());
    assertThat(inFlight.isEmpty()).isTrue();
    assertThat(inFlight.bytes()).isZero();
  }

  @Test
  void knows_no_command_for_a_position_between_two_events() {
    inFlight.add(Events.event(3, "a-1"));
    inFlight.add(Events.event(5, "a-1"));
    assertThat(inFlight.landed(4)).isNull();
    assertThat(inFlight.isEmpty()).isFalse();
  }

  @Test
  void knows_the_command_of_where_a_message_ended() {
    var command = UUID.randomUUID();
    inFlight.add(Events.event(3, "a-1"));
    inFlight.add(9, command);
    assertThat(inFlight.landed(9)).isEqualTo(command);
    assertThat(inFlight.isEmpty()).isTrue();
  }

  @Test
  void counts_the_messages_that_are_not_wholly_acknowledged() {
    inFlight.add(Events.event(3, "a-1"));
    inFlight.add(Events.event(5, "a-1"));
    inFlight.left(5);
    inFlight.add(9, null);
    inFlight.left(9);
    inFlight.landed(3);
    assertThat(inFlight.messages()).isEqualTo(2);
    inFlight.landed(5);
    assertThat(inFlight.messages()).isEqualTo(1);
    inFlight.landed(9);
    assertThat(inFlight.messages()).isZero();
  }
}
