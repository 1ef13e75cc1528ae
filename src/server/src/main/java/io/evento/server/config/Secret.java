package io.evento.server.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

/**
 * A password, from its key or from the file that the key with {@code -file} behind it names: an
 * environment is shown by tools and given to children, a file is not.
 */
public final class Secret {
  private Secret() {}

  /**
   * @param source the value of a key, if it is set
   * @throws IllegalArgumentException if both are set, or the file cannot be read
   */
  public static Optional<String> of(Function<String, Optional<String>> source, String key) {
    var plain = source.apply(key);
    var file = source.apply(key + "-file");
    if (plain.isPresent() && file.isPresent()) {
      throw new IllegalArgumentException("only one of " + key + " and " + key + "-file may be set");
    }
    return file.isPresent() ? Optional.of(read(key + "-file", file.get())) : plain;
  }

  private static String read(String key, String file) {
    try {
      // The line's end is the editor's.
      var text = Files.readString(Path.of(file)).stripTrailing();
      if (text.isEmpty()) {
        throw new IllegalArgumentException(key + " names an empty file: " + file);
      }
      return text;
    } catch (IOException failure) {
      throw new IllegalArgumentException(key + " names no readable file: " + file, failure);
    }
  }
}
