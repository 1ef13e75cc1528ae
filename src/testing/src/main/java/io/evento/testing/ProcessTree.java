package io.evento.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Signals to a process and all that it started, parents first. */
public final class ProcessTree {
  private ProcessTree() {}

  /**
   * @param signal such as {@code STOP}
   * @param root may have ended; then nothing happens
   */
  public static void signal(String signal, long root) {
    send(signal, List.of(root));
    // Whoever forks is stopped by now, so none is missed.
    send(
        signal,
        ProcessHandle.of(root).stream()
            .flatMap(ProcessHandle::descendants)
            .map(ProcessHandle::pid)
            .toList());
  }

  /** Kills all of it at once and waits until it is gone. */
  public static void kill(long root) {
    var handle = ProcessHandle.of(root);
    if (handle.isEmpty()) {
      return;
    }
    // An ended parent has no descendants any more, so they are looked for before.
    send("STOP", List.of(root));
    var all = new ArrayList<ProcessHandle>();
    all.add(handle.get());
    handle.get().descendants().forEach(all::add);
    send("KILL", all.stream().map(ProcessHandle::pid).toList());
    for (var one : all) {
      one.onExit().orTimeout(20, TimeUnit.SECONDS).join();
    }
  }

  private static void send(String signal, List<Long> pids) {
    if (pids.isEmpty()) {
      return;
    }
    var command = new ArrayList<>(List.of("kill", "-" + signal));
    pids.forEach(pid -> command.add(Long.toString(pid)));
    try {
      // One that ended meanwhile makes the exit code 1, and needs no signal.
      new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    } catch (InterruptedException asked) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", asked);
    }
  }
}
