package io.evento.server.gateway.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Media types as RFC 9110 compares them: by their names, whatever the case, and by parameters. */
final class MediaTypes {
  private MediaTypes() {}

  /** Whether a {@code Content-Type} says JSON in UTF-8, the only form that bodies have here. */
  static boolean isJson(String contentType) {
    var parts = split(contentType, ';');
    if (!parts.get(0).equalsIgnoreCase("application/json")) {
      return false;
    }
    for (var parameter : parts.subList(1, parts.size())) {
      if (!parameter.isEmpty() && !isHarmless(parameter)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isHarmless(String parameter) {
    var equals = parameter.indexOf('=');
    return equals > 0
        && (!parameter.substring(0, equals).equalsIgnoreCase("charset")
            || unquoted(parameter.substring(equals + 1)).equalsIgnoreCase("utf-8"));
  }

  /**
   * Whether a caller wants a type more than JSON: it weighs more, or as much and is named.
   *
   * @param accept value of {@code Accept}; null for anything
   * @param type such as {@code text/event-stream}
   */
  static boolean prefers(@Nullable String accept, String type) {
    if (accept == null) {
      return false;
    }
    var ranges = split(accept.toLowerCase(Locale.ROOT), ',');
    var quality = quality(ranges, type);
    var json = quality(ranges, "application/json");
    return quality > 0
        && (quality > json
            || (quality == json && ranges.stream().anyMatch(range -> name(range).equals(type))));
  }

  /** What the most specific range that has the type says; 0 where none has. */
  private static double quality(List<String> ranges, String type) {
    var any = type.substring(0, type.indexOf('/')) + "/*";
    for (var candidate : List.of(type, any, "*/*")) {
      var most = -1.0;
      for (var range : ranges) {
        if (name(range).equals(candidate)) {
          most = Math.max(most, weight(range));
        }
      }
      if (most >= 0) {
        return most;
      }
    }
    return 0;
  }

  private static String name(String range) {
    return split(range, ';').get(0);
  }

  private static double weight(String range) {
    for (var parameter : split(range, ';')) {
      if (parameter.startsWith("q=")) {
        // What is no weight weighs nothing.
        return parameter.matches("q=(0(\\.[0-9]{0,3})?|1(\\.0{0,3})?)")
            ? Double.parseDouble(parameter.substring(2))
            : 0;
      }
    }
    return 1;
  }

  /** Cuts at a separator that does not stand in quotes; without the white space around. */
  private static List<String> split(String text, char separator) {
    var parts = new ArrayList<String>();
    var isQuoted = false;
    var start = 0;
    for (var i = 0; i < text.length(); i++) {
      var c = text.charAt(i);
      if (c == '\\' && isQuoted) {
        i++;
      } else if (c == '"') {
        isQuoted = !isQuoted;
      } else if (c == separator && !isQuoted) {
        parts.add(text.substring(start, i).strip());
        start = i + 1;
      }
    }
    parts.add(text.substring(start).strip());
    return parts;
  }

  private static String unquoted(String value) {
    return value.length() >= 2 && value.startsWith("\"") && value.endsWith("\"")
        ? value.substring(1, value.length() - 1)
        : value;
  }
}
