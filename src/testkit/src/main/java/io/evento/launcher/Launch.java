package io.evento.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * How a process is started.
 *
 * @param environment added to the launcher's own; passwords travel here, where {@code ps} shows
 *     nothing
 * @param log where both outputs go, appended
 * @param discarded what an earlier process of this place left and the next one must not find
 */
public record Launch(
    List<String> command, Map<String, String> environment, Path log, List<Path> discarded) {

  public Launch(List<String> command, Map<String, String> environment, Path log) {
    this(command, environment, log, List.of());
  }

  /**
   * Starts it in a session of its own where the system can: Ctrl-C then reaches the launcher only,
   * which stops everything in order.
   *
   * @param more environment for this process only
   */
  public Process spawn(Map<String, String> more) throws IOException {
    for (var leftover : discarded) {
      Tree.delete(leftover);
    }
    var builder = new ProcessBuilder(Stream.concat(detached().stream(), command.stream()).toList());
    builder.environment().putAll(environment);
    builder.environment().putAll(more);
    return builder
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
        .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
        .start();
  }

  /** A {@code java} of the launcher's own kind. */
  public static List<String> java(List<String> options) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    return List.copyOf(command);
  }

  private static List<String> detached() {
    var setsid = Path.of("/usr/bin/setsid");
    return Files.isExecutable(setsid) ? List.of(setsid.toString()) : List.of();
  }
}
