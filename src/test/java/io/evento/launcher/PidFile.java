package io.evento.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Remembers which processes were started, so that the next start can end what a killed launcher
 * left behind. A process is ours only if number and start time both fit: numbers are reused.
 */
final class PidFile {

  private static final Duration END_MAX = Duration.ofSeconds(20);

  private final Path file;

  PidFile(Path file) {
    this.file = file;
  }

  /** Without a running member there is no file. */
  void write(List<Member> members) throws IOException {
    var lines = new ArrayList<String>();
    for (var member : members) {
      member.running().flatMap(PidFile::entry).ifPresent(entry -> lines.add(entry + " " + member));
    }
    if (lines.isEmpty()) {
      Files.deleteIfExists(file);
      return;
    }
    var fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.write(fresh, lines);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /**
   * Ends what is left of an earlier run. PostgreSQL is asked, since its children would outlive it;
   * everything else is killed.
   *
   * @return the names of those that were still there
   */
  List<String> endLeftovers() throws IOException, InterruptedException {
    var ended = new ArrayList<String>();
    if (Files.exists(file)) {
      for (var line : Files.readAllLines(file)) {
        var fields = line.split(" ");
        var left = stillOurs(Long.parseLong(fields[0]), Instant.parse(fields[1]));
        if (left.isPresent()) {
          end(left.get(), fields[2].equals(Members.POSTGRES) ? Signal.QUIT : Signal.KILL);
          ended.add(fields[2]);
        }
      }
      Files.delete(file);
    }
    return ended;
  }

  private static void end(ProcessHandle left, Signal signal) throws InterruptedException {
    Signal.CONT.sendTo(left.pid());
    signal.sendTo(left.pid());
    try {
      left.onExit().get(END_MAX.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException stubborn) {
      throw new StartFailure("Process " + left.pid() + " of an earlier run does not end.");
    }
  }

  private static Optional<ProcessHandle> stillOurs(long pid, Instant started) {
    return ProcessHandle.of(pid)
        .filter(handle -> handle.info().startInstant().filter(started::equals).isPresent());
  }

  private static Optional<String> entry(Process process) {
    return process.info().startInstant().map(started -> process.pid() + " " + started);
  }
}
