package io.evento.scenario.chaos.fault;

import static org.awaitility.Awaitility.await;

import io.evento.launcher.Member;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Door;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A node starts while its wall clock is wrong, works for a while, sees the clock jump to the right
 * time, and works on. Debian's libfaketime lies to it.
 *
 * <p>Only the wall clock lies, as on a machine whose time was set. By itself libfaketime also moves
 * the monotonic clock, and a jump would move it back. Told to leave that alone, its release 0.9.10
 * still corrects the limits of all waits by it, under a C library of 2.30 or later, by a shift that
 * is not there: each wait of the JVM ends at once, and a node burns its processor and never starts.
 * So it is told to correct none.
 */
final class SkewedClock {
  // On arm64 it corrects them whatever it is told.
  private static final Path LIBRARY =
      Path.of("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1");

  private static final Duration SEEN_MAX = Duration.ofSeconds(60);
  private static final Duration TOLERANCE = Duration.ofSeconds(60);

  private final Cluster cluster;
  private final CountDownLatch stopped;

  SkewedClock(Cluster cluster, CountDownLatch stopped) {
    this.cluster = cluster;
    this.stopped = stopped;
  }

  /** Why no clock can be wrong on this machine, if so; where the build is judged it has to be. */
  static Optional<String> missing() {
    if (Files.isReadable(LIBRARY)) {
      return Optional.empty();
    }
    var why = "no " + LIBRARY + ", which is of Debian's package faketime";
    if ("true".equals(System.getenv("CI"))) {
      throw new IllegalStateException(why);
    }
    return Optional.of(why);
  }

  /**
   * What a process is told that sees another wall clock.
   *
   * @param skew a file with the seconds that it is ahead of the right time, such as {@code +3600};
   *     looked at every other second
   */
  static Map<String, String> environment(Path skew) {
    return Map.of(
        "LD_PRELOAD", LIBRARY.toString(),
        "FAKETIME_TIMESTAMP_FILE", skew.toString(),
        "FAKETIME_CACHE_DURATION", "1",
        "FAKETIME_DONT_FAKE_MONOTONIC", "1",
        "FAKETIME_FORCE_MONOTONIC_FIX", "0",
        // Or what was prepared for a quick start is of another time than its sources.
        "NO_FAKE_STAT", "1");
  }

  /** Writes such a file. */
  static void write(Path file, Duration skew) throws IOException {
    var fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(fresh, "%+d%n".formatted(skew.toSeconds()));
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
  }

  void bring(Hit hit, Duration skew) throws Exception {
    var victim = cluster.node(hit.target());
    var file = cluster.plan().directory().resolve("clock-of-" + victim);
    write(file, skew);
    var pid = OptionalLong.empty();
    try {
      victim.kill();
      victim.start(environment(file));
      pid = victim.pid();
      cluster.awaitReady(victim);
      awaitSkew(victim, skew);
      last(hit.length().dividedBy(2));
      write(file, Duration.ZERO);
      awaitSkew(victim, Duration.ZERO);
      last(hit.length().dividedBy(2));
    } finally {
      victim.kill();
      cluster.start(victim);
      if (pid.isPresent()) {
        removeLeftovers(pid.getAsLong());
      }
    }
  }

  private void last(Duration length) throws InterruptedException {
    stopped.await(length.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** A fault that did not happen would prove nothing. */
  private static void awaitSkew(Member victim, Duration skew) {
    var door = new Door(victim.url());
    await("the clock of " + victim + " is off by " + skew)
        .atMost(SEEN_MAX)
        .until(() -> isOffBy(skew, door));
  }

  private static boolean isOffBy(Duration skew, Door door) throws InterruptedException {
    String now;
    try {
      // A histogram ends now, by the clock of the node that is asked.
      now = door.get("events/histogram?bars=1").body().path("to").asText("");
    } catch (AssertionError undocumented) {
      // The next try may see what this one is about; what nodes answer is for the callers to judge.
      return false;
    }
    if (now.isEmpty()) {
      return false;
    }
    var told = OffsetDateTime.parse(now).toInstant();
    return Duration.between(Instant.now().plus(skew), told).abs().compareTo(TOLERANCE) < 0;
  }

  /** libfaketime leaves these, and stumbles over those of a later process of the same number. */
  static void removeLeftovers(long pid) throws IOException {
    Files.deleteIfExists(Path.of("/dev/shm/faketime_shm_" + pid));
    Files.deleteIfExists(Path.of("/dev/shm/sem.faketime_sem_" + pid));
  }
}
