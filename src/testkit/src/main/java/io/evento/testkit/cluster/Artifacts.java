package io.evento.testkit.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a node is started from.
 *
 * @param war the server
 * @param payaraMicro what it runs on
 */
record Artifacts(Path war, Path payaraMicro) {

  /**
   * @throws IllegalStateException that says what to put where
   */
  static Artifacts find() {
    return new Artifacts(
        find("evento.test.war", "evento.war", "io.evento:evento-server:war"),
        find(
            "evento.test.payara-micro", "payara-micro.jar", "fish.payara.extras:payara-micro:jar"));
  }

  private static Path find(String property, String name, String coordinates) {
    var path = Path.of(System.getProperty(property, "target/evento/" + name)).toAbsolutePath();
    if (!Files.isReadable(path)) {
      throw new IllegalStateException(
          "an embedded cluster needs "
              + coordinates
              + " at "
              + path
              + ": copy it there before the tests, with the goal copy of maven-dependency-plugin, or"
              + " say with -D"
              + property
              + " where it is");
    }
    return path;
  }

  /** A text that comes with the test kit. */
  static String text(String name) {
    try (var file = Artifacts.class.getResourceAsStream(name)) {
      if (file == null) {
        throw new IllegalStateException(name + " is missing in the test kit's jar");
      }
      return new String(file.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
