package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.protocol.ErrorCode;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What every answer to a wrong or failed request has in common, over either door. */
final class Problems {

  /** One byte more than a payload may have. */
  static final String TOO_BIG = "x".repeat((1 << 20) + 1);

  private Problems() {}

  static void isProblem(Answer answer, ErrorCode code) {
    var body = answer.body();
    assertThat(answer.status()).as("%s", body).isEqualTo(code.status());
    assertThat(answer.headers().firstValue("Content-Type").orElse(""))
        .startsWith("application/problem+json");
    assertThat(body.path("code").asText()).as("%s", body).isEqualTo(code.wire());
    assertThat(body.path("type").asText()).isEqualTo("urn:evento:" + code.wire());
    assertThat(body.path("status").asInt()).isEqualTo(code.status());
    assertThat(body.path("title").asText()).isNotBlank();
    assertThat(body.path("correlation").asText()).isNotBlank();
    if (code.status() == 503) {
      assertThat(answer.headers().firstValue("Retry-After")).isPresent();
    }
    tellsNoInternals(body, code);
  }

  /**
   * @param id of the request, null where the message could not be read
   */
  static void isError(JsonNode error, ErrorCode code, @Nullable UUID id) {
    assertThat(error.path("t").asText()).as("%s", error).isEqualTo("error");
    assertThat(error.path("code").asText()).as("%s", error).isEqualTo(code.wire());
    if (id != null) {
      assertThat(error.path("id").asText()).isEqualTo(id.toString());
    }
    tellsNoInternals(error, code);
  }

  private static void tellsNoInternals(JsonNode body, ErrorCode code) {
    var text = body.toString();
    assertThat(text)
        .doesNotContainPattern("\\bat [a-z]+(\\.\\w+)+\\(")
        .doesNotContainPattern("\\b(java|javax|jakarta|io\\.evento|org|com|fish)\\.[a-z]+\\.")
        .doesNotContainPattern("(?i)payara|glassfish|grizzly|jersey|tyrus");
    if (code != ErrorCode.HANDLER_FAILED) {
      assertThat(text).doesNotContainPattern("\\w(Exception|Error)\\b");
    }
  }
}
