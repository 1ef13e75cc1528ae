package io.evento.server.telemetry;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How busy processors are: those of this process, as the JDK tells it, and those of the machine, as
 * Linux does. In a container the machine is the host, and the process has what its limit leaves it.
 * Of one thread.
 */
final class Processors {
  private static final Path STAT = Path.of("/proc/stat");
  private static final int NICE = 1;
  private static final int IDLE = 3;
  private static final int WAITING = 4;
  private static final int GUESTS = 8;

  private long at = System.nanoTime();
  private long own = own();
  private @Nullable Machine machine = machine();

  /**
   * @param busy and {@code all} in the system's ticks since it began, all processors together; what
   *     runs at a low priority is not busy
   */
  record Machine(int processors, long busy, long all) {}

  /**
   * Since the last look.
   *
   * @param busyMillis of this process, all its processors together
   * @param machineProcessors null, with {@code machineMillis}, where the system does not tell
   * @param machineMillis of all processes, all processors together
   */
  record Use(
      long spanMillis,
      int processors,
      long busyMillis,
      @Nullable Integer machineProcessors,
      @Nullable Long machineMillis) {

    /** Both together. */
    Use plus(Use later) {
      return new Use(
          spanMillis + later.spanMillis,
          later.processors,
          busyMillis + later.busyMillis,
          later.machineProcessors,
          machineMillis == null || later.machineMillis == null
              ? later.machineMillis
              : Long.valueOf(machineMillis + later.machineMillis));
    }
  }

  Use look() {
    var now = System.nanoTime();
    var used = own();
    var seen = machine();
    var before = machine;
    var span = TimeUnit.NANOSECONDS.toMillis(now - at);
    var use =
        new Use(
            span,
            Runtime.getRuntime().availableProcessors(),
            Math.max(0, used - own),
            seen == null ? null : seen.processors(),
            seen == null || before == null ? null : busy(before, seen, span));
    at = now;
    own = used;
    machine = seen;
    return use;
  }

  private static long busy(Machine before, Machine now, long span) {
    var all = Math.max(1, now.all() - before.all());
    var share = Math.min(1, Math.max(0, (double) (now.busy() - before.busy()) / all));
    return Math.round(share * span * now.processors());
  }

  private static long own() {
    return ProcessHandle.current().info().totalCpuDuration().map(cpu -> cpu.toMillis()).orElse(0L);
  }

  private static @Nullable Machine machine() {
    try {
      return Files.isReadable(STAT) ? machine(Files.readString(STAT)) : null;
    } catch (IOException silent) {
      return null;
    }
  }

  /**
   * As {@code /proc/stat} tells it.
   *
   * @return null if it is written in another way
   */
  static @Nullable Machine machine(String stat) {
    var lines = stat.split("\n");
    var fields = lines[0].trim().split("\\s+");
    if (!fields[0].equals("cpu") || fields.length <= WAITING + 1) {
      return null;
    }
    try {
      var all = 0L;
      var idle = 0L;
      // What guests use is in what users use already. What runs at a low priority gives way.
      for (var i = 0; i < Math.min(GUESTS, fields.length - 1); i++) {
        var ticks = Long.parseLong(fields[i + 1]);
        all += ticks;
        idle += i == NICE || i == IDLE || i == WAITING ? ticks : 0;
      }
      var processors = 0;
      for (var line : lines) {
        processors += line.matches("cpu\\d+ .*") ? 1 : 0;
      }
      return processors == 0 ? null : new Machine(processors, all - idle, all);
    } catch (NumberFormatException other) {
      return null;
    }
  }
}
