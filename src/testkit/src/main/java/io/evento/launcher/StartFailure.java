package io.evento.launcher;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A process did not come up; the message ends with the last lines that it logged. */
public final class StartFailure extends RuntimeException {

  private static final long serialVersionUID = 1;
  private static final int LINES = 30;

  /**
   * @param log whose end is told
   */
  public StartFailure(String what, Path log) {
    super(what + "\nThe end of " + log + ":\n" + String.join("\n", lastLines(log)));
  }

  public StartFailure(String what) {
    super(what);
  }

  private static List<String> lastLines(Path log) {
    if (!Files.exists(log)) {
      return List.of("(nothing was logged)");
    }
    try {
      // Not readAllLines: what a killed process wrote last may be half a character.
      var lines =
          new String(Files.readAllBytes(log), StandardCharsets.UTF_8)
              .lines()
              .filter(line -> !line.isBlank())
              .toList();
      return lines.subList(Math.max(0, lines.size() - LINES), lines.size());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
