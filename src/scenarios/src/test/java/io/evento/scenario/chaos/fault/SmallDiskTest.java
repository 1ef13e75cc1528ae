package io.evento.scenario.chaos.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SmallDiskTest {
  private static final long BYTES = 1 << 20;

  @TempDir Path folder;

  @BeforeEach
  void this_process_may_mount() {
    SmallDisk.missing().ifPresent(why -> assumeTrue(false, why));
  }

  @Test
  void a_full_disk_takes_no_byte_more_until_it_is_freed() throws IOException {
    try (var disk = SmallDisk.over(folder, BYTES)) {
      var other = Files.createFile(folder.resolve("other"));
      disk.fill();
      assertThatThrownBy(() -> Files.writeString(other, "x"))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("No space left");
      disk.free();
      Files.writeString(other, "x");
    }
  }

  @Test
  void what_became_free_meanwhile_is_filled_too() throws IOException {
    try (var disk = SmallDisk.over(folder, BYTES)) {
      var other = Files.write(folder.resolve("other"), new byte[10_000]);
      disk.fill();
      Files.delete(other);
      assertThat(disk.usable()).isPositive();
      disk.fill();
      assertThat(disk.usable()).isZero();
    }
  }

  @Test
  void it_goes_with_all_that_is_on_it_though_somebody_has_a_file_open() throws IOException {
    var hidden = Files.createFile(folder.resolve("hidden"));
    try (var disk = SmallDisk.over(folder, BYTES);
        var open = Files.newOutputStream(folder.resolve("open"))) {
      open.write(1);
      assertThat(hidden).doesNotExist();
      disk.close();
      assertThat(folder).isDirectoryContaining(hidden::equals);
      assertThat(folder.resolve("open")).doesNotExist();
    }
  }

  @Test
  void a_run_that_is_killed_leaves_none_behind() throws Exception {
    var run =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                Path.of(SmallDisk.class.getProtectionDomain().getCodeSource().getLocation().toURI())
                    .toString(),
                Run.class.getName(),
                folder.toString())
            .start();
    // Who reads a pipe hears no interrupt.
    CompletableFuture.delayedExecutor(30, TimeUnit.SECONDS).execute(run::destroyForcibly);
    try (var said = run.inputReader()) {
      assertThat(said.readLine()).isEqualTo("mounted");
      assertThat(isMounted()).isTrue();
    } finally {
      run.destroyForcibly();
    }
    await("the disk is gone").atMost(Duration.ofSeconds(10)).until(() -> !isMounted());
  }

  private boolean isMounted() throws IOException {
    return Files.readString(Path.of("/proc/mounts")).contains(" " + folder + " ");
  }

  /** Mounts one and does not end. */
  static final class Run {
    private Run() {}

    public static void main(String... arguments) throws Exception {
      SmallDisk.over(Path.of(arguments[0]), BYTES);
      System.out.println("mounted");
      new CountDownLatch(1).await();
    }
  }
}
