package io.evento.server.persistence;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Builds the text form of a PostgreSQL array, element by element.
 *
 * <p>The driver's own {@code createArrayOf} comes to the same text by way of boxed elements, at 1.4
 * times the cost for 64 events of 300 bytes and twice the cost for one (93 to 129 and 4 to 8 µs).
 */
public final class ArrayLiteral {
  private final StringBuilder text;

  public ArrayLiteral(int sizeExpected) {
    text = new StringBuilder(sizeExpected).append('{');
  }

  /** The whole array of texts. */
  public static String of(List<String> elements) {
    var literal = new ArrayLiteral(elements.size() * 24 + 2);
    elements.forEach(literal::add);
    return literal.toString();
  }

  public void add(long element) {
    separate();
    text.append(element);
  }

  /** An element that needs no quotes: letters, digits and hyphens. */
  public void addPlain(Object element) {
    separate();
    text.append(element);
  }

  public void add(@Nullable String element) {
    separate();
    if (element == null) {
      text.append("NULL");
    } else {
      quote(element);
    }
  }

  private void separate() {
    if (text.length() > 1) {
      text.append(',');
    }
  }

  private void quote(String element) {
    text.append('"');
    var copied = 0;
    for (var i = 0; i < element.length(); i++) {
      var c = element.charAt(i);
      if (c == 0) {
        // PostgreSQL would take it for the end of the whole message.
        throw new IllegalArgumentException("text must not contain U+0000");
      }
      if (c == '"' || c == '\\') {
        text.append(element, copied, i).append('\\');
        copied = i;
      }
    }
    text.append(element, copied, element.length()).append('"');
  }

  /** The array; nothing may be added afterwards. */
  @Override
  public String toString() {
    return text.append('}').toString();
  }
}
