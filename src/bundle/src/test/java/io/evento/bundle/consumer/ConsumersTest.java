package io.evento.bundle.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.ConsumerMessage.Ack;
import io.evento.protocol.ConsumerMessage.Credit;
import io.evento.protocol.ConsumerMessage.Disable;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.ConsumerMessage.Events;
import io.evento.protocol.ConsumerMessage.Nack;
import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import java.util.List;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Rows and checkpoint commit together, and the server hears how far they are. */
class ConsumersTest extends ConsumersFixture {
  @Test
  void an_old_event_reaches_its_handler_as_the_present_record() {
    var old =
        new RecordedEvent(
            1,
            new RecordedEvent.Stream("Counter", "c"),
            1,
            "Counted",
            1,
            "default",
            "2026-01-31T10:15:30.123456Z",
            COMMAND,
            "flow",
            null,
            List.of(),
            Json.EMPTY_OBJECT,
            new Json("{\"digits\":\"42\"}"));
    consumers.enable(new Enable("plain:1", 0, 0, 127, 1, EPOCH, 0), answers::add, this);
    consumers.events(new Events("plain:1", 0, 1, EPOCH, 0, 2, List.of(old, event(2))));
    awaitAck(2);
    assertThat(plain.seen).containsExactly(42L, 2L);
  }

  @Test
  void rows_and_checkpoint_commit_together_and_are_then_acknowledged() {
    enable(segment(0, 127, 1, 0));
    awaitSaid(Credit.class, 1);
    assertThat(said(Credit.class).get(0)).isEqualTo(new Credit("numbers:1", 0, 1, 256, EPOCH, 0L));
    consumers.events(events(1, 0, 5, 2, 4));
    consumers.events(events(1, 5, 9));
    awaitAck(9);
    assertThat(numbersStored()).containsExactly("2", "4");
    assertThat(checkpoints()).containsExactly("0-127@9 fence 1");
    assertThat(said(Ack.class)).extracting(Ack::position).containsExactly(5L, 9L);
  }

  @Test
  void a_gap_in_what_comes_gives_the_segment_up() {
    enable(segment(0, 127, 1, 5));
    awaitSaid(Credit.class, 1);
    consumers.events(events(1, 6, 8, 7));
    awaitSaid(Disable.class, 1);
    assertThat(numbersStored()).isEmpty();
  }

  @Test
  void an_epoch_that_changed_goes_on_where_the_server_says() {
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 9, 9));
    awaitAck(9);
    var next = UUID.randomUUID();
    consumers.events(new Events("numbers:1", 0, 1, next, 5, 6, List.of(event(6))));
    awaitAck(6);
    assertThat(numbersStored()).containsExactly("6", "9");
    assertThat(rows("select epoch from evento_checkpoint")).containsExactly(next.toString());
  }

  @Test
  void credits_are_granted_back_in_lumps() {
    enable(segment(0, 127, 1, 0));
    for (var at = 0L; at < 160; at += 16) {
      var from = at;
      consumers.events(
          events(1, at, at + 16, LongStream.rangeClosed(from + 1, from + 16).toArray()));
    }
    awaitAck(160);
    assertThat(said(Credit.class)).extracting(Credit::events).containsExactly(256, 64, 64);
  }

  @Test
  void an_unknown_consumer_is_given_back_at_once() {
    consumers.enable(new Enable("other:1", 0, 0, 127, 5, EPOCH, 0), answers::add, this);
    assertThat(answers).containsExactly(new Disable("other:1", 0, 5));
  }

  @Test
  void a_projector_without_a_transaction_relies_on_the_servers_checkpoint() {
    plain.failing.add(2L);
    consumers.enable(new Enable("plain:1", 0, 0, 127, 1, EPOCH, 0), answers::add, this);
    awaitSaid(Credit.class, 1);
    assertThat(said(Credit.class).get(0).position()).isNull();
    consumers.events(
        new Events("plain:1", 0, 1, EPOCH, 0, 3, List.of(event(1), event(2), event(3))));
    awaitSaid(Nack.class, 1);
    awaitAck(1);
    plain.failing.clear();
    awaitAck(3);
    assertThat(plain.seen).containsExactly(1L, 2L, 3L);
  }
}
