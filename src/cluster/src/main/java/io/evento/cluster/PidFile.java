package io.evento.cluster;

import io.evento.launcher.Member;
import io.evento.launcher.Signal;
import io.evento.launcher.StartFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Remembers which processes were started, so that the next start can end what a killed launcher
 * left behind. A process is ours only if number and start time both fit: numbers are reused.
 */
final class PidFile {

  private static final Duration END_MAX = Duration.ofSeconds(20);
  private static final long POLL_MILLIS = 50;

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
    var ended = new LinkedHashMap<String, ProcessHandle>();
    if (Files.exists(file)) {
      for (var line : Files.readAllLines(file)) {
        var fields = line.split(" ");
        stillOurs(Long.parseLong(fields[0]), Instant.parse(fields[1]))
            .ifPresent(left -> ended.put(fields[2], left));
      }
      ended.forEach(PidFile::tellToEnd);
      for (var left : ended.values()) {
        awaitEnd(left);
      }
      Files.delete(file);
    }
    return List.copyOf(ended.keySet());
  }

  private static void tellToEnd(String id, ProcessHandle left) {
    Signal.CONT.sendTo(left.pid());
    (id.equals(Members.POSTGRES) ? Signal.QUIT : Signal.KILL).sendTo(left.pid());
  }

  // Asked again and again: for a process that is no child, onExit looks only every few seconds.
  private static void awaitEnd(ProcessHandle left) throws InterruptedException {
    var deadline = System.nanoTime() + END_MAX.toNanos();
    while (left.isAlive()) {
      if (System.nanoTime() - deadline > 0) {
        throw new StartFailure("Process " + left.pid() + " of an earlier run does not end.");
      }
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
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
