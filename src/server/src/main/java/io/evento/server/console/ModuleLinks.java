package io.evento.server.console;

import java.net.URI;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the head of the console's document says of the modules that a page will import. A browser
 * that is told of them loads all at once; else it learns of each import from the module before it,
 * one round trip after the other.
 */
final class ModuleLinks {
  /** An import at the beginning of a line, or of a statement in code without lines. */
  private static final Pattern IMPORT =
      Pattern.compile(
          "(?:^|;)\\s*import\\b[^'\"();]*+['\"](\\.{1,2}/[^'\"]++)['\"]", Pattern.MULTILINE);

  private final Function<String, @Nullable String> sources;

  /**
   * @param sources the text of a module by its path ({@code /core/api.js}); null where there is
   *     none
   */
  ModuleLinks(Function<String, @Nullable String> sources) {
    this.sources = sources;
  }

  /** The paths of these modules and of all that they import, each once; no path without a text. */
  Set<String> closure(List<String> roots) {
    var found = new LinkedHashSet<String>();
    var left = new ArrayDeque<>(roots);
    while (!left.isEmpty()) {
      var path = left.remove();
      var source = found.contains(path) ? null : sources.apply(path);
      if (source != null) {
        found.add(path);
        IMPORT
            .matcher(source)
            .results()
            .forEach(match -> left.add(URI.create(path).resolve(match.group(1)).toString()));
      }
    }
    return found;
  }

  /** The lines of the head, by which a browser loads them. */
  static String lines(Set<String> paths) {
    return paths.stream()
        .map(path -> "<link rel=\"modulepreload\" href=\"/evento/console" + path + "\">\n")
        .collect(Collectors.joining());
  }
}
