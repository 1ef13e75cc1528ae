package io.evento.server.eventstore;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.Json;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What is stored beside a payload. */
class EventMetaTest {
  private final UUID id = UUID.randomUUID();

  @Test
  void a_flow_of_its_own_without_metadata_takes_no_room() {
    var meta = new EventMeta(id.toString(), null, null, Json.EMPTY_OBJECT);
    assertThat(meta.text(id)).isNull();
    assertThat(EventMeta.of(null, id)).isEqualTo(meta);
  }

  @Test
  void everything_comes_back_as_it_was() {
    var meta = new EventMeta("flow", "cause", "00-ab-cd-01", new Json("{\"a\": [1,\"}\"]}"));
    assertThat(EventMeta.of(meta.text(id), id)).isEqualTo(meta);
  }

  @Test
  void what_is_the_default_is_left_out() {
    var meta = new EventMeta(id.toString(), "cause", null, Json.EMPTY_OBJECT);
    assertThat(meta.text(id)).isEqualTo("{\"causation\":\"cause\"}");
    assertThat(EventMeta.of(meta.text(id), id)).isEqualTo(meta);
  }

  @Test
  void what_was_written_by_somebody_else_counts_as_nothing() {
    assertThat(EventMeta.of("not json", id))
        .isEqualTo(new EventMeta(id.toString(), null, null, Json.EMPTY_OBJECT));
  }
}
