package io.evento.scenario.chaos.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SkewedClockTest {
  private static final long MINUTE = TimeUnit.MINUTES.toMillis(1);
  private static final Duration HOUR = Duration.ofHours(1);
  private static final long SAYS_NOTHING_SECONDS = 30;
  private static final long LONG_MILLIS = 10_000;

  @TempDir Path folder;

  @BeforeEach
  void libfaketime_is_installed() {
    SkewedClock.missing().ifPresent(why -> assumeTrue(false, why));
  }

  @Test
  void a_process_sees_another_wall_clock_and_its_jump_and_waits_as_long_as_it_wants()
      throws Exception {
    var file = folder.resolve("clock");
    SkewedClock.write(file, HOUR);
    var process = process(file);
    // Who reads a pipe hears no interrupt.
    CompletableFuture.delayedExecutor(SAYS_NOTHING_SECONDS, TimeUnit.SECONDS)
        .execute(process::destroyForcibly);
    try (var said = process.inputReader()) {
      var first = Look.of(said);
      assertThat(first.aheadMillis()).isBetween(HOUR.toMillis() - MINUTE, HOUR.toMillis() + MINUTE);
      assertThat(first.waitedMillis()).isBetween(Look.WAIT_MILLIS, LONG_MILLIS);
      SkewedClock.write(file, HOUR.negated());
      var next = Look.of(said);
      while (next.aheadMillis() > 0) {
        assertThat(next.waitedMillis()).isBetween(Look.WAIT_MILLIS, LONG_MILLIS);
        next = Look.of(said);
      }
      assertThat(next.aheadMillis())
          .isBetween(-HOUR.toMillis() - MINUTE, -HOUR.toMillis() + MINUTE);
      assertThat(Look.of(said).waitedMillis()).isBetween(Look.WAIT_MILLIS, LONG_MILLIS);
    } finally {
      process.destroyForcibly().waitFor();
      SkewedClock.removeLeftovers(process.pid());
    }
  }

  private static Process process(Path file) throws Exception {
    var builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            Path.of(Look.class.getProtectionDomain().getCodeSource().getLocation().toURI())
                .toString(),
            Look.class.getName());
    builder.environment().putAll(SkewedClock.environment(file));
    return builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  /** What a process sees of its clocks. */
  record Look(long aheadMillis, long waitedMillis) {
    static final long WAIT_MILLIS = 200;

    static Look of(BufferedReader said) throws IOException {
      var line = said.readLine();
      assertThat(line).as("what a process says that sees another clock").isNotNull();
      var words = line.split(" ");
      return new Look(
          Long.parseLong(words[0]) - System.currentTimeMillis(), Long.parseLong(words[1]));
    }

    public static void main(String... none) throws InterruptedException {
      while (true) {
        var before = System.nanoTime();
        Thread.sleep(WAIT_MILLIS);
        var waited = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - before);
        System.out.println(System.currentTimeMillis() + " " + waited);
      }
    }
  }
}
