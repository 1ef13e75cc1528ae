package io.evento.server.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What requests have to keep at every door, whichever server stands behind it. */
class RequestRulesTest {
  private static final String PATH = "/evento/api/commands/Open";

  private static void post(Map<String, String> headers) {
    RequestRules.check("POST", PATH, null, headers::get);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/json", "Application/JSON", "application/json;charset=utf-8",
        "application/json ; Charset=\"UTF-8\"", "application/json;", "APPLICATION/JSON; a=\";b\""
      })
  void json_is_known_by_its_name_in_any_case(String type) {
    assertThatCode(() -> post(Map.of("Content-Type", type))).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/jsonfoo",
        "application/json2;charset=utf-8",
        "application/problem+json",
        "text/json",
        "",
        "application/json;charset=iso-8859-1",
        "application/json;charset=",
        "application/json;nonsense",
        "application/json,text/plain",
        "*/*",
        "text/plain",
        "application/x-www-form-urlencoded"
      })
  void anything_else_is_no_body_for_us(String type) {
    isUnsupported(Map.of("Content-Type", type, "Content-Length", "2"));
  }

  @Test
  void a_body_says_what_it_is_and_what_has_no_body_need_not() {
    isUnsupported(Map.of("Content-Length", "2"));
    isUnsupported(Map.of("Transfer-Encoding", "chunked"));
    post(Map.of("Content-Length", "0"));
    post(Map.of());
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "GZIP", "deflate, gzip", "br", "identity, gzip"})
  void a_body_is_not_packed(String coding) {
    isUnsupported(Map.of("Content-Type", "application/json", "Content-Encoding", coding));
  }

  @Test
  void a_body_may_say_that_it_is_not_packed() {
    post(Map.of("Content-Type", "application/json", "Content-Encoding", "Identity"));
  }

  private static void isUnsupported(Map<String, String> headers) {
    assertThatThrownBy(() -> post(headers))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> assertThat(told.code()).isEqualTo(ErrorCode.UNSUPPORTED_MEDIA_TYPE));
  }

  @ParameterizedTest
  @CsvSource({
    "/a/%ED%A0%80,,path",
    "/a/%ff,,path",
    "/a/%C0%80,,path",
    "/a/%00,,path",
    "/a/%e2%82,,path",
    "/a/%4,,path",
    "/a/%zz,,path",
    "/a,tag=%ff,tag",
    "/a,type=A&tag=x%00,tag",
    "/a,%ff=1,query"
  })
  void escapes_that_say_no_text_are_refused_where_they_stand(
      String path, String query, String pointer) {
    assertThatThrownBy(() -> RequestRules.check("GET", path, query, name -> null))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
              assertThat(told.violations().get(0).pointer()).isEqualTo(pointer);
            });
  }

  @Test
  void a_nul_is_refused_in_every_parameter_escaped_or_not() {
    for (var nul : new String[] {"%00", "\0"}) {
      assertThatThrownBy(
              () -> RequestRules.check("GET", "/a", "limit=1&q=x" + nul + "y", name -> null))
          .isInstanceOfSatisfying(
              EventoException.class,
              told -> assertThat(told.violations().get(0).pointer()).isEqualTo("q"));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "/a/b%2Fc%25%3B%F0%9F%98%80,tag=%C3%A9&x=%EF%BF%BD",
    "/a/\u00e9,tag=+",
    "/a/%5C,a&&=",
  })
  void escaped_text_of_any_kind_goes_through(String path, String query) {
    RequestRules.check("GET", path, query, name -> null);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "none",
      value = {
        "text/event-stream | true",
        "Text/Event-Stream | true",
        "text/event-stream;q=0 | false",
        "text/event-stream;q=0.0, */* | false",
        "text/event-stream, application/json | true",
        "application/json, text/event-stream;q=0.9 | false",
        "application/json;q=0.5, text/event-stream;Q=0.9 | true",
        "text/* | true",
        "text/*;q=0.4, application/json;q=0.5 | false",
        "*/* | false",
        "text/event-stream, */* | true",
        "*/*;q=0.1, text/event-stream;q=0.2 | true",
        "text/event-streams | false",
        "xtext/event-stream | false",
        "application/json;x=\"text/event-stream,\" | false",
        "text/event-stream;q=7 | false",
        "none | false"
      })
  void the_type_that_weighs_most_is_given_and_json_to_who_takes_anything(
      String accept, boolean isStream) {
    assertThat(MediaTypes.prefers(accept, "text/event-stream")).isEqualTo(isStream);
  }

  @Test
  void a_batch_of_cloud_events_is_given_to_who_asks_for_it() {
    var batch = CloudEvents.BATCH;
    assertThat(MediaTypes.prefers(batch, batch)).isTrue();
    assertThat(MediaTypes.prefers("application/*", batch)).isFalse();
    assertThat(MediaTypes.prefers(batch + ";q=0, application/json", batch)).isFalse();
    assertThat(MediaTypes.prefers("application/json, " + batch + ";q=0.5", batch)).isFalse();
  }
}
