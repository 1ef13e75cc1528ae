package io.evento.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.testing.ApiDocument;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The documents name what there is, and the judge finds what they do not name. */
class ApiDocumentTest {
  private final ApiDocument http = ApiDocument.openApi();
  private final ApiDocument socket = ApiDocument.asyncApi();

  @Test
  void every_code_and_every_kind_of_message_is_named() {
    var codes = new TreeSet<String>();
    http.json()
        .at("/components/schemas/Problem/properties/code/enum")
        .forEach(c -> codes.add(c.asText()));
    assertThat(codes)
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(ErrorCode.values()).map(ErrorCode::wire).toList());
    var kinds = new ArrayList<String>();
    socket.json().at("/components/messages").fieldNames().forEachRemaining(kinds::add);
    assertThat(kinds).containsExactlyInAnyOrderElementsOf(Codec.kindNames());
  }

  @Test
  void what_the_document_does_not_say_is_found() {
    assertThat(socket.message(Codec.write(new SessionMessage.Ping()))).isEmpty();
    assertThat(socket.message("{\"t\":\"ping\",\"extra\":1}")).isPresent();
    assertThat(socket.message("{\"t\":\"nonsense\"}")).contains("no message nonsense");
    assertThat(socket.message("{\"t\":\"cancel\"}")).isPresent();

    var receipt =
        "{\"commandId\":\"0190a0b0-0000-7000-8000-000000000001\",\"events\":[],\"result\":null,"
            + "\"repeated\":false}";
    assertThat(http.exchange("POST", "/commands/Open", "{}", 200, "application/json", receipt))
        .isEmpty();
    assertThat(
            http.exchange(
                "POST",
                "/commands/Open",
                "{}",
                200,
                "application/json",
                receipt.replace("}", ",\"more\":1}")))
        .isPresent();
    assertThat(http.exchange("POST", "/commands/Open", "[]", 200, "application/json", receipt))
        .isPresent();
    assertThat(http.exchange("GET", "/nowhere", "", 200, "application/json", "{}"))
        .contains("no path /nowhere");
    assertThat(http.exchange("GET", "/events", "", 200, "text/html", "")).isPresent();
    assertThat(http.exchange("GET", "/events", "", 404, "text/html", "not found")).isPresent();
  }
}
