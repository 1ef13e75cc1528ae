package io.evento.server.catalog;

import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How well a name fits what somebody typed: {@code OPl} and {@code order pl} mean OrderPlaced.
 *
 * <p>Higher is better: 4 for the whole name, 3 for its beginning, 2 for the beginnings of its
 * parts, 1 for something in it, 0 for no fit.
 */
public final class NameMatch {
  private static final int PIECES_MAX = 6;

  private final String text;
  private final @Nullable Pattern parts;

  /**
   * @param typed blank fits all, equally
   */
  public NameMatch(String typed) {
    text = typed.strip().toLowerCase(Locale.ROOT);
    var pieces = typed.strip().split("(?<=.)(?=\\p{Lu})|(?<=\\p{L})(?=\\d)|[\\s._:-]+");
    // Few pieces: with many, a name that almost fits is tried in too many ways.
    parts =
        pieces.length < 2 || pieces.length > PIECES_MAX ? null : Pattern.compile(pattern(pieces));
  }

  private static String pattern(String[] pieces) {
    var pattern = new StringBuilder();
    for (var piece : pieces) {
      pattern
          .append(pattern.isEmpty() ? "^(?:.*[^\\p{L}])?" : "\\p{Ll}*[\\d._:-]*")
          .append("(?:")
          .append(Pattern.quote(first(piece, false)))
          .append('|')
          .append(Pattern.quote(first(piece, true)))
          .append(')');
    }
    return pattern.toString();
  }

  private static String first(String piece, boolean isCapital) {
    if (piece.isEmpty()) {
      return piece;
    }
    var letter = piece.substring(0, 1);
    return (isCapital ? letter.toUpperCase(Locale.ROOT) : letter.toLowerCase(Locale.ROOT))
        + piece.substring(1);
  }

  public int score(String name) {
    var lower = name.toLowerCase(Locale.ROOT);
    if (lower.equals(text)) {
      return 4;
    }
    if (lower.startsWith(text)) {
      return 3;
    }
    if (parts != null && parts.matcher(name).find()) {
      return 2;
    }
    return lower.contains(text) ? 1 : 0;
  }
}
