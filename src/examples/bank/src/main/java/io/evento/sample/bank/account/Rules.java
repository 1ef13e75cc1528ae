package io.evento.sample.bank.account;

/** What holds for the fields of every message, whoever sends it. */
public final class Rules {
  /** The largest sum that moves at once, in the smallest coin. */
  public static final long AMOUNT_MAX = 1_000_000_000_000L;

  private static final int TEXT_MAX = 200;

  private Rules() {}

  /**
   * @throws IllegalArgumentException if the amount is not 1 to {@link #AMOUNT_MAX}
   */
  public static void amount(long amount) {
    if (amount < 1 || amount > AMOUNT_MAX) {
      throw new IllegalArgumentException("amount must be 1 to " + AMOUNT_MAX + ", is " + amount);
    }
  }

  /**
   * Checks what is going to be stored, so that every read model can hold it: PostgreSQL's texts
   * have no NUL, and people write no controls.
   *
   * @throws IllegalArgumentException if the text is missing, too short, above 200 characters or has
   *     characters of control
   */
  public static void text(String field, String text, int shortest) {
    if (text == null || text.length() < shortest || text.length() > TEXT_MAX) {
      throw new IllegalArgumentException(
          field + " must have " + shortest + " to " + TEXT_MAX + " characters");
    }
    if (text.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(field + " must not have characters of control");
    }
  }
}
