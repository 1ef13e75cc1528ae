package io.evento.server.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The release of this WAR, written into it by the build. */
final class Release {
  private Release() {}

  static String current() {
    try (var file = Release.class.getResourceAsStream("/evento.properties")) {
      var properties = new Properties();
      properties.load(file);
      return properties.getProperty("release", "unknown");
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
