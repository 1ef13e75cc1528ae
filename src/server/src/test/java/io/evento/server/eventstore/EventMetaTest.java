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
  void the_first_version_of_a_payload_takes_no_room() {
    assertThat(EventMeta.withPayloadVersion(null, 1)).isNull();
    assertThat(EventMeta.payloadVersion(null)).isEqualTo(1);
    assertThat(EventMeta.payloadVersion("{\"causation\":\"cause\"}")).isEqualTo(1);
  }

  @Test
  void a_later_version_stands_beside_the_rest_and_an_older_node_reads_over_it() {
    assertThat(EventMeta.payloadVersion(EventMeta.withPayloadVersion(null, 2))).isEqualTo(2);
    var meta = new EventMeta("flow", "cause", null, new Json("{\"payloadVersion\":7}"));
    var text = EventMeta.withPayloadVersion(meta.text(id), 10_000);
    assertThat(EventMeta.payloadVersion(text)).isEqualTo(10_000);
    assertThat(EventMeta.of(text, id)).isEqualTo(meta);
    assertThat(EventMeta.payloadVersion(meta.text(id))).isEqualTo(1);
  }

  @Test
  void a_version_that_nobody_wrote_counts_as_the_first() {
    assertThat(EventMeta.payloadVersion("{\"payloadVersion\":")).isEqualTo(1);
    assertThat(EventMeta.payloadVersion("{\"payloadVersion\":99999999999}")).isEqualTo(1);
    assertThat(EventMeta.payloadVersion("{\"payloadVersion\":0}")).isEqualTo(1);
  }

  @Test
  void what_was_written_by_somebody_else_counts_as_nothing() {
    assertThat(EventMeta.of("not json", id))
        .isEqualTo(new EventMeta(id.toString(), null, null, Json.EMPTY_OBJECT));
  }
}
