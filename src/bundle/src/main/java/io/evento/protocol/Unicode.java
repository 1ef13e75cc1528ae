package io.evento.protocol;

/**
 * Text that UTF-8 can say. A Java string may hold half of a surrogate pair, such as what is left of
 * an emoji that was cut; no encoding of Unicode has bytes for it, and encoders throw or write
 * something else.
 */
public final class Unicode {
  /** Stands for what cannot be said. */
  private static final char REPLACEMENT = '\uFFFD';

  private Unicode() {}

  /** Where the first half of a pair stands alone; -1 if the text is well-formed. */
  public static int loneSurrogate(CharSequence text) {
    return loneSurrogate(text, 0);
  }

  private static int loneSurrogate(CharSequence text, int from) {
    for (var i = from; i < text.length(); i++) {
      var c = text.charAt(i);
      if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
        if (c > Character.MAX_HIGH_SURROGATE
            || i + 1 == text.length()
            || !Character.isLowSurrogate(text.charAt(i + 1))) {
          return i;
        }
        i++;
      }
    }
    return -1;
  }

  public static boolean isWellFormed(CharSequence text) {
    return loneSurrogate(text) < 0;
  }

  /** The same text, with U+FFFD for each half that stands alone. */
  public static String toWellFormed(String text) {
    var at = loneSurrogate(text);
    if (at < 0) {
      return text;
    }
    var whole = new StringBuilder(text);
    for (; at >= 0; at = loneSurrogate(whole, at + 1)) {
      whole.setCharAt(at, REPLACEMENT);
    }
    return whole.toString();
  }

  /**
   * The same JSON, with an escape for each half that stands alone. That is legal JSON, as outside
   * of strings there is none, and has bytes in every encoding.
   */
  static String escaped(String json) {
    var at = loneSurrogate(json);
    if (at < 0) {
      return json;
    }
    var whole = new StringBuilder(json.length() + 32);
    var from = 0;
    for (; at >= 0; at = loneSurrogate(json, from)) {
      whole.append(json, from, at).append("\\u").append(Integer.toHexString(json.charAt(at)));
      from = at + 1;
    }
    return whole.append(json, from, json.length()).toString();
  }
}
