package io.evento.protocol;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonStreamContext;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;

/**
 * The rules that JSON from outside has to keep before anybody reads it. It is taken as it was
 * written or refused, never mended.
 *
 * <p>They are those of RFC 8259 where that leaves no choice, and of I-JSON (RFC 7493) where readers
 * differ: a name is in an object once, and text is what UTF-8 can say. Half of a surrogate pair,
 * which an escape can write, cannot be encoded: whoever passes it on would lose it or fail.
 */
public final class JsonText {
  private static final String TWICE = "Duplicate field";

  private JsonText() {}

  /**
   * Checks one JSON value in one pass, without decoding its texts and numbers.
   *
   * @return the same, with a blank for each line feed and carriage return: on the links line feeds
   *     separate messages. In well-formed JSON they stand between tokens only
   * @throws EventoException {@code invalid-request} naming the place
   */
  public static Json check(String text) {
    checkUnicode(text);
    try (var parser = Codec.parser(text)) {
      parser.enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION.mappedFeature());
      if (parser.nextToken() == null) {
        throw EventoException.invalid("", "must be a JSON object");
      }
      walk(parser);
      if (parser.nextToken() != null) {
        throw EventoException.invalid("", "must be one JSON value and nothing after it");
      }
    } catch (JsonProcessingException malformed) {
      throw malformed(malformed);
    } catch (IOException impossible) {
      throw new IllegalStateException("a string cannot fail to be read", impossible);
    }
    return new Json(
        text.indexOf('\n') < 0 && text.indexOf('\r') < 0
            ? text
            : text.replace('\n', ' ').replace('\r', ' '));
  }

  private static void walk(JsonParser parser) throws IOException {
    var open = 0;
    for (var token = parser.currentToken(); token != null; token = parser.nextToken()) {
      if (token.isStructStart() && ++open > Json.DEPTH_MAX) {
        // Not by its place, which is as long as it is deep.
        throw Json.tooDeep("");
      }
      if (token.isStructEnd()) {
        open--;
      }
      if (open == 0) {
        return;
      }
    }
  }

  /**
   * Checks that no escape says half of a surrogate pair. Costs next to nothing where there are no
   * escapes by number.
   *
   * @param json decoded from UTF-8, so that pairs which were not escaped are whole
   * @throws EventoException {@code invalid-request} naming the place
   */
  static void checkUnicode(String json) {
    if (!json.contains("\\u")) {
      return;
    }
    for (var at = json.indexOf('\\'); at >= 0; at = json.indexOf('\\', at)) {
      if (at + 1 < json.length() && json.charAt(at + 1) != 'u') {
        at += 2; // another escape, perhaps of a backslash
        continue;
      }
      var unit = unit(json, at);
      at += 6;
      if (Character.isLowSurrogate(unit)
          || (Character.isHighSurrogate(unit) && !Character.isLowSurrogate(unit(json, at)))) {
        throw unsayable(json);
      }
      if (Character.isHighSurrogate(unit)) {
        at += 6;
      }
    }
  }

  /** The UTF-16 unit that is escaped at a place; 0 if there is none, which no reader lets pass. */
  private static char unit(String json, int at) {
    if (!json.startsWith("\\u", at) || at + 6 > json.length()) {
      return 0;
    }
    var unit = 0;
    for (var i = at + 2; i < at + 6; i++) {
      var digit = Character.digit(json.charAt(i), 16);
      if (digit < 0) {
        return 0;
      }
      unit = unit << 4 | digit;
    }
    return (char) unit;
  }

  /** Names the value, or the object with the name: a pointer with such a name could not be told. */
  private static EventoException unsayable(String json) {
    try (var parser = Codec.parser(json)) {
      for (var token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if ((token == JsonToken.FIELD_NAME || token == JsonToken.VALUE_STRING)
            && !isSayable(parser.getText())) {
          var place = parser.getParsingContext();
          return token == JsonToken.FIELD_NAME
              ? EventoException.invalid(
                  pointer(place.getParent()), "must not have a name with half a surrogate pair")
              : EventoException.invalid(
                  pointer(place), "must not contain half of a surrogate pair, which is no text");
        }
      }
    } catch (JsonProcessingException malformed) {
      return malformed(malformed);
    } catch (IOException impossible) {
      throw new IllegalStateException("a string cannot fail to be read", impossible);
    }
    return EventoException.invalid("", "must be well-formed JSON");
  }

  private static String pointer(JsonStreamContext place) {
    return place.pathAsPointer().toString();
  }

  private static boolean isSayable(String text) {
    return java.nio.charset.StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  /** What a parser refused, named as far as it is known. */
  static EventoException malformed(JsonProcessingException refused) {
    if (refused.getOriginalMessage().startsWith(TWICE)
        && refused.getProcessor() instanceof JsonParser parser) {
      return EventoException.invalid(
          pointer(parser.getParsingContext()), "must not be there twice");
    }
    var at = refused.getLocation();
    return EventoException.invalid(
        "",
        "must be well-formed JSON: "
            + (at == null
                ? "cannot be parsed"
                : "error at line " + at.getLineNr() + ", column " + at.getColumnNr()));
  }
}
