package io.evento.scenario.chaos.fault;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A tmpfs over a folder, which can be filled to the last byte. A shell mounts it and takes it away
 * when its own input ends: at {@link #close}, and however the process ends that asked for it. So
 * nothing stays mounted after a run that was killed.
 */
final class SmallDisk implements AutoCloseable {
  private static final String KEEPER =
      """
      trap '' INT TERM HUP
      timeout -k 1 20 mount -t tmpfs -o "size=$2,mode=0700" evento-small-disk "$1" || exit 1
      echo mounted
      cat > /dev/null
      umount -l "$1"
      """;

  private static final int PAGE = 4_096;
  private static final int CHUNK = 256 * PAGE;
  private static final long SECONDS_MAX = 20;

  private final Path folder;
  private final Path filler;
  private final Process keeper;

  private SmallDisk(Path folder, Process keeper) {
    this.folder = folder;
    this.filler = folder.resolve("filler");
    this.keeper = keeper;
  }

  /**
   * What the folder has is hidden until it is closed.
   *
   * @param folder an empty one, best
   * @throws IOException if this process may not mount, or this system knows no tmpfs
   */
  static SmallDisk over(Path folder, long bytes) throws IOException {
    var size = Long.toString((bytes + PAGE - 1) / PAGE * PAGE);
    // In a session of its own, so that a signal to the run's whole group does not reach it.
    var keeper =
        new ProcessBuilder("setsid", "sh", "-c", KEEPER, "sh", folder.toString(), size)
            .redirectErrorStream(true)
            .start();
    var said = keeper.inputReader(StandardCharsets.UTF_8).readLine();
    if (!"mounted".equals(said)) {
      throw new IOException("no tmpfs over " + folder + ": " + said);
    }
    return new SmallDisk(folder, keeper);
  }

  /** Why there can be none on this machine, if so. */
  static Optional<String> missing() {
    try {
      var folder = Files.createTempDirectory("small-disk");
      try (var disk = over(folder, PAGE)) {
        disk.fill();
      } finally {
        Files.delete(folder);
      }
      return Optional.empty();
    } catch (IOException refused) {
      return Optional.of(String.valueOf(refused.getMessage()));
    }
  }

  /** Writes until nothing more fits, also where something became free since. */
  void fill() throws IOException {
    var bytes = new byte[CHUNK];
    while (usable() > 0) {
      var fitting = (int) Math.min(usable(), CHUNK);
      try (var out =
          Files.newOutputStream(filler, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
        out.write(Arrays.copyOf(bytes, fitting));
      } catch (IOException full) {
        // Somebody else wrote there meanwhile, which is as good.
      }
    }
  }

  /** All that {@link #fill} took may be used again. */
  void free() throws IOException {
    Files.deleteIfExists(filler);
  }

  long usable() throws IOException {
    return Files.getFileStore(folder).getUsableSpace();
  }

  /** Takes it away with all that is on it, at once: whoever still has a file open keeps that. */
  @Override
  public void close() throws IOException {
    keeper.getOutputStream().close();
    try {
      if (!keeper.waitFor(SECONDS_MAX, TimeUnit.SECONDS) || keeper.exitValue() != 0) {
        throw new IOException("a tmpfs is still mounted over " + folder);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
