package io.evento.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/**
 * Random JSON, whole and damaged, is held against a reading of it that decodes everything: what is
 * taken says the same as before, and whatever breaks a rule is refused where it can be told.
 */
class JsonTextTest {
  private static final JsonFactory PLAIN = new JsonFactory();
  private static final int TEXTS = 4_000;

  /** What a text says: its tokens as decoded, numbers as written; null if it breaks a rule. */
  private static @Nullable List<String> said(String text) {
    var tokens = new ArrayList<String>();
    var names = new ArrayDeque<Set<String>>();
    var depth = 0;
    try (var parser = PLAIN.createParser(text)) {
      for (var token = parser.nextToken(); token != null; token = parser.nextToken()) {
        tokens.add(token + " " + parser.getText());
        if (token.isStructStart()) {
          depth++;
          names.push(new HashSet<>());
        } else if (token.isStructEnd()) {
          depth--;
          names.pop();
        }
        var isName = token == JsonToken.FIELD_NAME;
        var breaks =
            depth > Json.DEPTH_MAX
                || (isName && !names.element().add(parser.getText()))
                || ((isName || token == JsonToken.VALUE_STRING) && !isSayable(parser.getText()));
        if (breaks) {
          return null;
        }
        if (depth == 0) {
          return parser.nextToken() == null ? tokens : null;
        }
      }
    } catch (IOException malformed) {
      return null;
    }
    return null;
  }

  private static boolean isSayable(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8).equals(text);
  }

  @RepeatedTest(3)
  void what_is_taken_says_what_it_said_and_the_rest_is_refused_by_its_place() {
    var seed = new Random().nextLong();
    var random = new Random(seed);
    var taken = 0;
    for (var i = 0; i < TEXTS; i++) {
      var text = new Writer(random).write();
      if (random.nextInt(3) == 0) {
        text = damaged(text, random);
      }
      var expected = said(text);
      var about = "seed " + seed + ", text " + i + ": " + text;
      try {
        var read = JsonText.check(text);
        assertThat(said(read.text())).as(about).isNotNull().isEqualTo(expected);
        assertThat(read.text()).as(about).doesNotContain("\n", "\r");
        taken++;
      } catch (EventoException refused) {
        assertThat(expected).as("%s, refused as %s", about, refused.detail()).isNull();
        var pointer = refused.violations().get(0).pointer();
        assertThat(isSayable(pointer)).as(about).isTrue();
        assertThat(pointer).as(about).matches("(?s)(/.*)?");
      }
    }
    // Neither of the two was tested by chance alone.
    assertThat(taken).as("seed %d", seed).isBetween(TEXTS / 10, TEXTS * 9 / 10);
  }

  /** As a bundle's message, where it is a part of a line. */
  @RepeatedTest(3)
  void a_payload_in_a_message_is_taken_by_the_same_rules() {
    var seed = new Random().nextLong();
    var random = new Random(seed);
    for (var i = 0; i < TEXTS / 4; i++) {
      var text = new Writer(random).write().replace('\n', ' ').replace('\r', ' ');
      var line =
          "{\"t\":\"result\",\"id\":\"" + new java.util.UUID(0, i) + "\",\"p\":" + text + "}";
      var expected = said(text);
      var about = "seed " + seed + ", text " + i + ": " + text;
      try {
        var read = (ReplyMessage.Result) Codec.receive(line);
        assertThat(read.payload()).as(about).isNotNull();
        assertThat(said(String.valueOf(read.payload()))).as(about).isEqualTo(expected);
      } catch (EventoException refused) {
        assertThat(expected).as("%s, refused as %s", about, refused.detail()).isNull();
      }
    }
  }

  @Test
  void the_deepest_that_is_taken_is_what_any_message_can_carry() {
    var most = "[".repeat(Json.DEPTH_MAX) + "]".repeat(Json.DEPTH_MAX);
    assertThat(JsonText.check(most).text()).isEqualTo(most);
    assertThat(said("[" + most + "]")).isNull();
  }

  private static String damaged(String text, Random random) {
    // Whole characters, as what came as UTF-8 has no others.
    var at = text.offsetByCodePoints(0, random.nextInt(text.codePointCount(0, text.length())));
    var odd = "\"\\{}[],:1e.-u\u0000\n\t\ufeff /dD8";
    var with = String.valueOf(odd.charAt(random.nextInt(odd.length())));
    return switch (random.nextInt(4)) {
      case 0 -> text.substring(0, at);
      case 1 -> text.substring(0, at) + text.substring(text.offsetByCodePoints(at, 1));
      case 2 -> text.substring(0, at) + with + text.substring(at);
      default -> text + with;
    };
  }

  /** Writes well-formed JSON in all its forms, now and then with half a pair or a name twice. */
  private static final class Writer {
    private final Random random;
    private final StringBuilder text = new StringBuilder();

    Writer(Random random) {
      this.random = random;
    }

    String write() {
      var wrapped = random.nextInt(20) == 0 ? 140 + random.nextInt(20) : 0;
      text.append("[".repeat(wrapped));
      value(4);
      text.append("]".repeat(wrapped));
      blank();
      return text.toString();
    }

    private void value(int depth) {
      blank();
      switch (random.nextInt(depth == 0 ? 4 : 7)) {
        case 0 -> text.append(one("true", "false", "null"));
        case 1 -> number();
        case 2, 3 -> string();
        case 4 -> list(depth);
        default -> object(depth);
      }
      blank();
    }

    private void list(int depth) {
      text.append('[');
      var count = random.nextInt(4);
      for (var i = 0; i < count; i++) {
        text.append(i == 0 ? "" : ",");
        value(depth - 1);
      }
      blank();
      text.append(']');
    }

    private void object(int depth) {
      text.append('{');
      var count = random.nextInt(5);
      for (var i = 0; i < count; i++) {
        text.append(i == 0 ? "" : ",");
        blank();
        if (random.nextInt(3) == 0) {
          // Few names, in two spellings: some meet.
          text.append(one("\"a\"", "\"b\"", "\"\\u0061\"", "\"c\"", "\"d\"", "\"e/~\""));
        } else {
          string();
        }
        blank();
        text.append(':');
        value(depth - 1);
      }
      blank();
      text.append('}');
    }

    private void number() {
      text.append(one("", "-"));
      text.append(one("0", "7", "12345678901234567890123456789", "1"));
      text.append(one("", "", ".0", ".10", ".1234567890123456789"));
      text.append(one("", "", "e5", "E+3", "e-400", "E0"));
    }

    private void string() {
      text.append('"');
      var count = random.nextInt(6);
      for (var i = 0; i < count; i++) {
        text.append(
            random.nextInt(120) == 0
                ? one("\\ud800", "\\uDfFf", "\\ud83d\\u0020", "\\ude00\\ud83d")
                : one(
                    "x",
                    "\u00e9",
                    "\ud83d\ude00",
                    "\\ud83d\\uDE00",
                    "\\n",
                    "\\\\",
                    "\\\"",
                    "\\/",
                    "\\u0000",
                    "\\u00E9",
                    "\\\\ud800",
                    "\u2028",
                    "{",
                    "]",
                    ",",
                    ":",
                    "/",
                    "~"));
      }
      text.append('"');
    }

    private void blank() {
      text.append(random.nextInt(4) == 0 ? one(" ", "\n", "\r\n", "\t", "  ") : "");
    }

    private String one(String... of) {
      return of[random.nextInt(of.length)];
    }
  }
}
