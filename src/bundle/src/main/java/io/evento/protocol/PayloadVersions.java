package io.evento.protocol;

/** The rules for versions of payloads on the wire: 1 and up, and 1 where nothing is said. */
public final class PayloadVersions {
  public static final int MAX = 10_000;

  private PayloadVersions() {}

  /** What a message that may leave the version out means. */
  static int orFirst(String pointer, int said) {
    if (said < 0 || said > MAX) {
      throw EventoException.invalid(pointer, "must be a whole number from 1 to " + MAX);
    }
    return said == 0 ? 1 : said;
  }

  /** Leaves the first version out of a message, as most payloads never get another. */
  static final class First {
    @Override
    public boolean equals(Object value) {
      return value == null || value.equals(1);
    }

    @Override
    public int hashCode() {
      return 1;
    }
  }
}
