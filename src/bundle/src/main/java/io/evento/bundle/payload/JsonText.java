package io.evento.bundle.payload;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.evento.protocol.Codec;
import io.evento.protocol.Json;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Looks through written JSON for what the next reader could not take: what no encoding of Unicode
 * can say, what is nested too deep, numbers and names that are too long. One pass over the
 * characters, as each payload goes through it; where something is wrong it is looked for again, to
 * say where.
 */
final class JsonText {
  private static final int NUMBER_MAX = StreamReadConstraints.DEFAULT_MAX_NUM_LEN;
  private static final int NAME_MAX = StreamReadConstraints.DEFAULT_MAX_NAME_LEN;

  private final String text;
  private int at;
  private int depth;

  private JsonText(String text) {
    this.text = text;
  }

  /**
   * @param what the value is, for the message
   * @throws UnwritablePayloadException naming the place
   */
  static void check(String json, String what) {
    var looked = new JsonText(json);
    var rule = looked.brokenRule();
    if (rule != null) {
      throw new UnwritablePayloadException(what, pointer(json, looked.at), rule);
    }
  }

  private @Nullable String brokenRule() {
    for (; at < text.length(); at++) {
      var c = text.charAt(at);
      if (c == '"') {
        var rule = string();
        if (rule != null) {
          return rule;
        }
      } else if (c == '{' || c == '[') {
        if (++depth > Json.DEPTH_MAX) {
          return "must be nested at most " + Json.DEPTH_MAX + " deep";
        }
      } else if (c == '}' || c == ']') {
        depth--;
      } else if (c == '-' || (c >= '0' && c <= '9')) {
        var end = number(at);
        if (end - at > NUMBER_MAX) {
          return "must be a number of at most " + NUMBER_MAX + " characters";
        }
        at = end - 1;
      } else if (c < ' ') {
        // Only raw JSON has them: they would end a message in its middle.
        return "must have no line breaks between its parts";
      }
    }
    return null;
  }

  private int number(int from) {
    var end = from + 1;
    while (end < text.length() && "+-.eE0123456789".indexOf(text.charAt(end)) >= 0) {
      end++;
    }
    return end;
  }

  /** Goes on to the closing quote. */
  private @Nullable String string() {
    var start = at;
    for (at++; at < text.length() && text.charAt(at) != '"'; at++) {
      var c = text.charAt(at);
      if (c < ' ') {
        return "must have no raw control characters";
      }
      var unit = c == '\\' ? escaped(at) : c;
      var width = c == '\\' && text.startsWith("u", at + 1) ? 6 : c == '\\' ? 2 : 1;
      if (Character.isHighSurrogate(unit)) {
        var next = at + width;
        var low =
            next >= text.length()
                ? '"'
                : text.charAt(next) == '\\' ? escaped(next) : text.charAt(next);
        if (!Character.isLowSurrogate(low)) {
          return HALF;
        }
        at = next + (text.charAt(next) == '\\' ? 5 : 0);
      } else if (Character.isLowSurrogate(unit)) {
        return HALF;
      } else {
        at += width - 1;
      }
    }
    var length = at - start - 1;
    return length > NAME_MAX && at + 1 < text.length() && text.charAt(at + 1) == ':'
        ? "must have a name of at most " + NAME_MAX + " characters"
        : null;
  }

  static final String HALF = "must not contain half of a surrogate pair, such as of a cut emoji";

  /**
   * The code unit that an escape stands for; what is no surrogate's escape is as good as a blank.
   */
  private char escaped(int backslash) {
    if (text.startsWith("u", backslash + 1) && backslash + 6 <= text.length()) {
      try {
        return (char) Integer.parseInt(text.substring(backslash + 2, backslash + 6), 16);
      } catch (NumberFormatException malformed) {
        return ' ';
      }
    }
    return ' ';
  }

  /** The pointer to what stands at this place. */
  private static String pointer(String json, int place) {
    try (JsonParser parser = Codec.parser(json)) {
      return pointer(parser, place);
    } catch (IOException impossible) {
      throw new IllegalStateException("a text cannot fail to be closed", impossible);
    }
  }

  private static String pointer(JsonParser parser, int place) {
    var found = "";
    try {
      while (parser.nextToken() != null && parser.currentTokenLocation().getCharOffset() <= place) {
        found = parser.getParsingContext().pathAsPointer().toString();
      }
      return found;
    } catch (IOException unreadable) {
      // The parser may stop where the text is broken: there it is.
      return parser.getParsingContext().pathAsPointer().toString();
    }
  }
}
