package io.evento.server.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HeadersTest {
  private static final String ID = "0198c2f4-0000-7000-8000-000000000001";

  @Test
  void a_command_id_may_be_bare_or_quoted() {
    assertThat(Headers.commandId(ID)).isEqualTo(UUID.fromString(ID));
    assertThat(Headers.commandId("\"" + ID + "\"")).isEqualTo(UUID.fromString(ID));
  }

  @Test
  void without_a_command_id_one_is_made() {
    assertThat(Headers.commandId(null)).isNotEqualTo(Headers.commandId(null));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1", "1-1-1-1-1", "\"\"", "0198c2f4-0000-7000-8000-00000000000g"})
  void what_is_no_uuid_is_refused(String header) {
    assertThatThrownBy(() -> Headers.commandId(header))
        .isInstanceOf(EventoException.class)
        .hasMessageContaining("Idempotency-Key");
  }

  @Test
  void a_caller_waits_ten_seconds_unless_it_says_otherwise() {
    assertThat(Headers.deadlineMillis(null)).isEqualTo(10_000);
    assertThat(Headers.deadlineMillis("respond-async")).isEqualTo(10_000);
    assertThat(Headers.deadlineMillis("wait=3")).isEqualTo(3_000);
    assertThat(Headers.deadlineMillis("respond-async, wait=60")).isEqualTo(60_000);
  }

  @ParameterizedTest
  @ValueSource(strings = {"wait=0", "wait=61", "wait=", "wait=x", "wait=1.5", "wait=-1"})
  void a_wait_out_of_range_is_refused(String header) {
    assertThatThrownBy(() -> Headers.deadlineMillis(header))
        .isInstanceOf(EventoException.class)
        .hasMessageContaining("from 1 to 60");
  }

  @Test
  void an_expected_version_may_be_bare_or_quoted_and_zero_means_new() {
    assertThat(Headers.version("\"3\"")).isEqualTo(3);
    assertThat(Headers.version("0")).isZero();
    assertThat(Headers.version(null)).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"*", "W/\"3\"", "-1", "\"x\"", ""})
  void what_is_no_version_is_refused(String header) {
    assertThatThrownBy(() -> Headers.version(header)).isInstanceOf(EventoException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "[]", "7", "{", "{}}", "{},\"p\":{}"})
  void metadata_must_be_one_json_object(String header) {
    assertThatThrownBy(() -> Headers.metadata(header))
        .isInstanceOf(EventoException.class)
        .hasMessageContaining("Evento-Metadata");
  }

  @Test
  void metadata_goes_through_as_it_is() {
    assertThat(Headers.metadata("{\"by\":\"Ada\"}")).isEqualTo(new Json("{\"by\":\"Ada\"}"));
  }

  @Test
  void a_malformed_trace_is_ignored() {
    assertThat(Headers.trace("00-x")).isNull();
    assertThat(Headers.trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
        .isNotNull();
  }

  @Test
  void server_sent_events_are_for_who_wants_them_most() {
    assertThat(Headers.wantsEventStream("text/event-stream")).isTrue();
    assertThat(Headers.wantsEventStream("text/event-stream, */*;q=0.5")).isTrue();
    assertThat(Headers.wantsEventStream("application/json, text/event-stream;q=0.9")).isFalse();
    assertThat(Headers.wantsEventStream("text/event-stream;q=0")).isFalse();
    assertThat(Headers.wantsEventStream("*/*")).isFalse();
    assertThat(Headers.wantsEventStream(null)).isFalse();
  }
}
