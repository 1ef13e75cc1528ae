package io.evento.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * CPU and memory of the cluster's processes, as the kernel counts them; PostgreSQL with all its
 * backends.
 */
final class ProcessUse {
  private static final double TICKS_PER_SECOND = 100;

  private final Map<String, Long> pids;
  private final Map<String, Long> ticksAtStart = new LinkedHashMap<>();

  ProcessUse(Map<String, Long> pids) {
    this.pids = new LinkedHashMap<>(pids);
    pids.forEach((name, pid) -> ticksAtStart.put(name, ticks(pid)));
  }

  /** CPU seconds since this was made, by process. */
  Map<String, Double> cpuSeconds() {
    var used = new LinkedHashMap<String, Double>();
    pids.forEach(
        (name, pid) ->
            used.put(name, (ticks(pid) - ticksAtStart.getOrDefault(name, 0L)) / TICKS_PER_SECOND));
    return used;
  }

  /** The same over so many seconds, such as {@code node-1 0.35 postgres 0.12}. */
  String coresInUse(double seconds) {
    var line = new StringBuilder();
    cpuSeconds()
        .forEach(
            (name, used) ->
                line.append("  ").append(name).append(" %.2f".formatted(used / seconds)));
    return line.toString();
  }

  /** The same for each of so many calls, such as {@code node-1 350 postgres 120}. */
  static String microsEach(Map<String, Double> cpuSeconds, int calls) {
    var line = new StringBuilder();
    cpuSeconds.forEach(
        (name, used) ->
            line.append("  ")
                .append(name)
                .append(" %.0f".formatted(calls == 0 ? 0 : used / calls * 1e6)));
    return line.toString();
  }

  /** Resident MiB now, by process; shared pages counted in each. */
  Map<String, Long> residentMiB() {
    var resident = new LinkedHashMap<String, Long>();
    pids.forEach((name, pid) -> resident.put(name, resident(pid)));
    return resident;
  }

  private long ticks(long pid) {
    var total = 0L;
    for (var process : family(pid)) {
      var stat = read("/proc/" + process + "/stat");
      if (!stat.isEmpty()) {
        var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        total += Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
        // Children that ended, such as backends, stay in their parent's account.
        total += Long.parseLong(fields[13]) + Long.parseLong(fields[14]);
      }
    }
    return total;
  }

  /** It and its children, but for those that are looked at by themselves. */
  private List<Long> family(long pid) {
    var family = new ArrayList<Long>();
    family.add(pid);
    ProcessHandle.of(pid)
        .ifPresent(
            parent ->
                parent
                    .children()
                    .map(ProcessHandle::pid)
                    .filter(child -> !pids.containsValue(child))
                    .forEach(family::add));
    return family;
  }

  private static long resident(long pid) {
    for (var line : read("/proc/" + pid + "/status").split("\n")) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
      }
    }
    return 0;
  }

  private static String read(String file) {
    try {
      return Files.exists(Path.of(file)) ? Files.readString(Path.of(file)) : "";
    } catch (java.nio.file.NoSuchFileException ended) {
      return "";
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
