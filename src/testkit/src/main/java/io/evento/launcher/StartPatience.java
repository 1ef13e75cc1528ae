package io.evento.launcher;

import java.time.Duration;

/**
 * How long a start is waited for: as long as the process makes progress, and not for ever. Progress
 * is a line in its log, or a tenth of a core since the last one. So a slow machine is told from a
 * process that hangs.
 *
 * @param idle without progress
 * @param whole with it
 */
public record StartPatience(Duration idle, Duration whole) {
  private static final int CPU_SHARE = 10;

  /** Progress or not. */
  public static StartPatience of(Duration limit) {
    return new StartPatience(limit, limit);
  }

  /** Looks at a start from now on. Not thread-safe. */
  Watch watch() {
    return new Watch();
  }

  final class Watch {
    private final long begun = System.nanoTime();
    private long movedAt = begun;
    private long logged = -1;
    private Duration cpuThen = Duration.ZERO;

    private Watch() {}

    /**
     * @param logged bytes of the log
     * @param cpu that the process used so far
     * @return whether it is to be waited for longer
     */
    boolean isPatient(long logged, Duration cpu, long now) {
      var isWorking = cpu.minus(cpuThen).compareTo(idle.dividedBy(CPU_SHARE)) >= 0;
      if (logged != this.logged || isWorking) {
        this.logged = logged;
        cpuThen = cpu;
        movedAt = now;
      }
      return now - movedAt < idle.toNanos() && now - begun < whole.toNanos();
    }

    /** What is said of a start that is given up, behind the name of the process. */
    String given(long now) {
      var waited = Duration.ofNanos(now - begun).toSeconds();
      var still = Duration.ofNanos(now - movedAt).toSeconds();
      return " is not ready after "
          + waited
          + " s"
          + (waited == still ? "." : ", and made no progress in the last " + still + " s.");
    }
  }
}
