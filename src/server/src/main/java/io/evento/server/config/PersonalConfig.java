package io.evento.server.config;

import java.nio.file.Path;
import java.util.Optional;
import org.eclipse.microprofile.config.Config;

/**
 * What a node is told about personal data.
 *
 * @param masterKeys file with the keys that wrap those of subjects ({@code
 *     evento.personal.master-key-file}); without it this node gives no keys and erases nobody
 * @param erasures file that lists who was erased ({@code evento.personal.erasures-file}); beside
 *     the master keys if unset, with {@code .erasures} at the end of the name
 */
public record PersonalConfig(Optional<Path> masterKeys, Optional<Path> erasures) {

  static PersonalConfig read(Config source) {
    var keys = path(source, "evento.personal.master-key-file");
    var erasures = path(source, "evento.personal.erasures-file");
    return new PersonalConfig(
        keys,
        erasures.isPresent()
            ? erasures
            : keys.map(file -> file.resolveSibling(file.getFileName() + ".erasures")));
  }

  private static Optional<Path> path(Config source, String key) {
    return source
        .getOptionalValue(key, String.class)
        .filter(value -> !value.isBlank())
        .map(Path::of);
  }
}
