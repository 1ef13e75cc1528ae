package io.evento.protocol.hint;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;

/** Finds what somebody most likely meant. */
public final class NearMiss {
  private static final int LENGTH_MAX = 100;
  private static final int KNOWN_MAX = 10_000;

  private NearMiss() {}

  /**
   * A part of a sentence that names the nearest of some words.
   *
   * @return such as {@code : did you mean discountCode?}; empty if none is near
   */
  public static String hint(String said, Collection<String> known) {
    if (said.length() > LENGTH_MAX) {
      return "";
    }
    var lower = said.toLowerCase(Locale.ROOT);
    var allowed = Math.max(1, said.length() / 4);
    return known.stream()
        .limit(KNOWN_MAX)
        .filter(word -> Math.abs(word.length() - said.length()) <= allowed)
        .map(word -> new Near(word, distance(lower, word.toLowerCase(Locale.ROOT))))
        .filter(near -> near.distance <= allowed)
        .min(Comparator.comparingInt(Near::distance).thenComparing(Near::word))
        .map(near -> ": did you mean " + near.word + "?")
        .orElse("");
  }

  private record Near(String word, int distance) {}

  /** How many letters must be added, removed or changed. */
  private static int distance(String one, String other) {
    var before = new int[other.length() + 1];
    for (var j = 0; j < before.length; j++) {
      before[j] = j;
    }
    for (var i = 1; i <= one.length(); i++) {
      var row = new int[other.length() + 1];
      row[0] = i;
      for (var j = 1; j <= other.length(); j++) {
        var change = one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1;
        row[j] = Math.min(Math.min(row[j - 1], before[j]) + 1, before[j - 1] + change);
      }
      before = row;
    }
    return before[other.length()];
  }
}
