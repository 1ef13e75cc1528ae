package io.evento.server.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Bodies are taken as they were written, or refused where they came in. */
class BodiesTest {
  private static final int MAX = 1_000;

  private static Json payload(String body) {
    return payload(body.getBytes(StandardCharsets.UTF_8));
  }

  private static Json payload(byte[] body) {
    return Bodies.payload(new ByteArrayInputStream(body), MAX);
  }

  private static void isRefused(byte[] body, String pointer) {
    assertThatThrownBy(() -> payload(body))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
              assertThat(told.violations().get(0).pointer()).as(told.detail()).isEqualTo(pointer);
            });
  }

  static Stream<Arguments> broken() {
    return Stream.of(
        arguments("{\"a\":\"x\ny\"}", ""),
        arguments("{\"a\":\"x\ry\"}", ""),
        arguments("{\"a\":\"x\r\ny\"}", ""),
        arguments("{\"a\nb\":1}", ""),
        arguments("{\"a\":\"x\ty\"}", ""),
        arguments("{\"a\":\"x\u0000y\"}", ""),
        arguments("{\"a\":\"\\ud800\"}", "/a"),
        arguments("{\"a\":\"x\\uD83D y\"}", "/a"),
        arguments("{\"a\":\"\\udc00\\ud800\"}", "/a"),
        arguments("{\"a\":\"\\ud83d\\u0041\"}", "/a"),
        arguments("{\"a\":\"\\ud83d\\ud83d\\ude00\"}", "/a"),
        arguments("{\"a\":[1,{\"b/c\":\"\\\\\\udfff\"}]}", "/a/1/b~1c"),
        arguments("{\"a\":{\"b\\ud800\":1}}", "/a"),
        arguments("{\"\\udc00\":1}", ""),
        arguments("{\"a\":1,\"a\":2}", "/a"),
        arguments("{\"a\":[{\"b\":1,\"c\":2,\"d\":3,\"\\u0062\":4}]}", "/a/0/b"),
        arguments("{\"a\":1}{}", ""),
        arguments("{\"a\":1} x", ""),
        arguments("{\"a\":1}]", ""),
        arguments("{\"a\":01}", ""),
        arguments("{\"a\":1.}", ""),
        arguments("{\"a\":+1}", ""),
        arguments("{\"a\":NaN}", ""),
        arguments("{'a':1}", ""),
        arguments("{a:1}", ""),
        arguments("{\"a\":1,}", ""),
        arguments("{\"a\":\"\\x\"}", ""),
        arguments("{\"a\":\"\\u00g0\"}", ""),
        arguments("{\"a\":\"\\ud800", ""),
        arguments("{/**/}", ""),
        arguments("\ufeff{}", ""),
        arguments("", ""),
        arguments("   ", ""),
        arguments("{\"a\":" + "[".repeat(150) + "]".repeat(150) + "}", ""));
  }

  @ParameterizedTest
  @MethodSource("broken")
  void what_is_no_JSON_that_everybody_reads_alike_is_refused(String body, String pointer) {
    isRefused(body.getBytes(StandardCharsets.UTF_8), pointer);
  }

  static Stream<byte[]> noUtf8() {
    return Stream.of(
        new byte[] {'"', (byte) 0xff, '"'},
        new byte[] {'"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'},
        new byte[] {'"', (byte) 0xc0, (byte) 0x80, '"'},
        new byte[] {0x1f, (byte) 0x8b, 8, 0});
  }

  @ParameterizedTest
  @MethodSource("noUtf8")
  void bytes_that_are_no_UTF_8_are_refused(byte[] body) {
    isRefused(body, "");
  }

  static Stream<Arguments> whole() {
    return Stream.of(
        arguments("{\"a\":1}", "{\"a\":1}"),
        arguments("{\n  \"a\": 1,\r\n\t\"b\": [ ]\n}\n", "{   \"a\": 1,  \t\"b\": [ ] } "),
        arguments("{\"a\":\"x\\ny\"}", "{\"a\":\"x\\ny\"}"),
        arguments("{\"a\":\"\\ud83d\\ude00\"}", "{\"a\":\"\\ud83d\\ude00\"}"),
        arguments("{\"a\":\"\ud83d\ude00\\u00e9\"}", "{\"a\":\"\ud83d\ude00\\u00e9\"}"),
        arguments("{\"a\":\"\\\\ud800\"}", "{\"a\":\"\\\\ud800\"}"),
        arguments("{\"a\":\"\\\\\\\\ud800 \\u0041\"}", "{\"a\":\"\\\\\\\\ud800 \\u0041\"}"),
        arguments("{\"a\":\"\\\"\\\\u\"}", "{\"a\":\"\\\"\\\\u\"}"),
        arguments("{\"a\":12345678901234567890.10E+3}", "{\"a\":12345678901234567890.10E+3}"),
        arguments("{\"a\":{\"b\":1},\"b\":{\"a\":1}}", "{\"a\":{\"b\":1},\"b\":{\"a\":1}}"));
  }

  @ParameterizedTest
  @MethodSource("whole")
  void what_is_well_formed_stays_as_it_was_but_in_one_line(String body, String taken) {
    assertThat(payload(body)).isEqualTo(new Json(taken));
  }

  @Test
  void a_body_above_the_limit_is_not_read() {
    assertThatThrownBy(() -> payload("{\"a\":\"" + "x".repeat(MAX) + "\"}"))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> assertThat(told.code()).isEqualTo(ErrorCode.PAYLOAD_TOO_LARGE));
  }
}
