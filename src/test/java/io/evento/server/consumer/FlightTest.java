package io.evento.server.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;
import org.junit.jupiter.api.Test;

class FlightTest {
  private final Flight flight = new Flight();

  @Test
  void names_the_command_of_the_event_that_was_acknowledged() {
    var first = Events.event(3, "a-1");
    var second = Events.event(5, "a-1");
    flight.add(first);
    flight.add(second);
    assertThat(flight.landed(3)).isEqualTo(first.commandId());
    assertThat(flight.landed(5)).isEqualTo(second.commandId());
    assertThat(flight.isEmpty()).isTrue();
    assertThat(flight.bytes()).isZero();
  }

  @Test
  void knows_no_command_for_a_position_between_two_events() {
    flight.add(Events.event(3, "a-1"));
    flight.add(Events.event(5, "a-1"));
    assertThat(flight.landed(4)).isNull();
    assertThat(flight.isEmpty()).isFalse();
  }

  @Test
  void knows_the_command_of_where_a_message_ended() {
    var command = UUID.randomUUID();
    flight.add(Events.event(3, "a-1"));
    flight.add(9, command);
    assertThat(flight.landed(9)).isEqualTo(command);
    assertThat(flight.isEmpty()).isTrue();
  }

  @Test
  void counts_the_messages_that_are_not_wholly_acknowledged() {
    flight.add(Events.event(3, "a-1"));
    flight.add(Events.event(5, "a-1"));
    flight.left(5);
    flight.add(9, null);
    flight.left(9);
    flight.landed(3);
    assertThat(flight.messages()).isEqualTo(2);
    flight.landed(5);
    assertThat(flight.messages()).isEqualTo(1);
    flight.landed(9);
    assertThat(flight.messages()).isZero();
  }
}
