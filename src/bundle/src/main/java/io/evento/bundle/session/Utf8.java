package io.evento.bundle.session;

/** Sizes on the wire. */
public final class Utf8 {
  private Utf8() {}

  /** How many bytes a text takes, without encoding it. */
  public static int length(CharSequence text) {
    var bytes = text.length();
    for (var i = 0; i < text.length(); i++) {
      var c = text.charAt(i);
      // Two surrogates take four bytes: two more than their count.
      bytes += c < 0x80 ? 0 : c < 0x800 || Character.isSurrogate(c) ? 1 : 2;
    }
    return bytes;
  }
}
