package io.evento.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.ConsumerMessage.Nack;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.ReplyMessage.Fault;
import io.evento.protocol.ReplyMessage.Result;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** No message is beyond what the encoder of a socket can say, whatever stands in it. */
@NullUnmarked
class UnicodeTest {
  private static final UUID ID = new UUID(1, 2);

  /** As a WebSocket encodes: what cannot be said is an error. */
  private static String overTheWire(String line) throws CharacterCodingException {
    var bytes =
        StandardCharsets.UTF_8
            .newEncoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .encode(CharBuffer.wrap(line));
    return StandardCharsets.UTF_8.decode(bytes).toString();
  }

  @ParameterizedTest
  @CsvSource({
    "'', -1",
    "abc, -1",
    "a\ud83d\ude00b, -1",
    "a\ud83db, 1",
    "\ude00, 0",
    "\ude00\ud83d, 0",
    "ab\ud83d, 2",
    "\ud83d\ud83d\ude00, 0",
    "\ud83d\ude00\ude00, 2",
  })
  void half_a_pair_is_found(String text, int at) {
    assertThat(Unicode.loneSurrogate(text)).isEqualTo(at);
    assertThat(Unicode.isWellFormed(text)).isEqualTo(at < 0);
    assertThat(Unicode.isWellFormed(Unicode.toWellFormed(text))).isTrue();
    assertThat(Unicode.toWellFormed(text)).hasSameSizeAs(text);
  }

  @RepeatedTest(5)
  void a_message_with_any_text_can_be_sent_and_is_read_as_it_was() throws Exception {
    var seed = new Random().nextLong();
    var random = new Random(seed);
    for (var i = 0; i < 200; i++) {
      var text = new StringBuilder();
      for (var n = random.nextInt(6); n > 0; n--) {
        text.append((char) (random.nextBoolean() ? 0xD800 + random.nextInt(0x800) : 'x'));
      }
      var payload = new Json("{\"" + text + "\":[\"" + text + "\",\"\\\\" + text + "\"]}");
      var read = (Result) Codec.read(overTheWire(Codec.write(new Result(ID, null, payload))));
      var again = Codec.parser(String.valueOf(read.payload()));
      again.nextToken();
      assertThat(again.nextFieldName()).as("seed %d", seed).isEqualTo(text.toString());
      again.nextToken();
      assertThat(again.nextTextValue()).as("seed %d", seed).isEqualTo(text.toString());
      assertThat(again.nextTextValue()).as("seed %d", seed).isEqualTo("\\" + text);
    }
  }

  @Test
  void what_is_told_of_a_failure_can_be_said() throws Exception {
    var said = "a\ud800b";
    var violation = new Violation("/" + said, said);
    assertThat(violation).isEqualTo(new Violation("/a\ufffdb", "a\ufffdb"));
    assertThat(new EventoException(ErrorCode.INTERNAL, said).detail()).isEqualTo("a\ufffdb");
    assertThat(new Failure(ErrorCode.HANDLER_FAILED, said, List.of()).detail())
        .isEqualTo("a\ufffdb");
    assertThat(new Nack("c:1", 0, 1, 1, 1, said).detail()).isEqualTo("a\ufffdb");
    var fault = new Fault(ID, ErrorCode.HANDLER_FAILED, said, List.of(violation), null, null, 0);
    assertThat(Codec.read(overTheWire(Codec.write(fault)))).isEqualTo(fault);
  }

  @Test
  void a_refusal_that_holds_half_a_pair_reaches_the_other_side() throws Exception {
    var rejection = new Rejection("code\udc00", "said \ud800", new Json("{\"n\":\"\ud800\"}"));
    var fault = Fault.of(ID, EventoException.rejected(rejection, ID));
    var read = (Fault) Codec.read(overTheWire(Codec.write(fault)));
    assertThat(String.valueOf(read.rejection().details())).isEqualTo("{\"n\":\"\\ud800\"}");
  }
}
