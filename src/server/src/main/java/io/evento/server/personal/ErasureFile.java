package io.evento.server.personal;

import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Who was erased, one in JSON a line; only ever added to. Several nodes may share one file: each
 * line is written by one call at the end of it. A line that was cut, by a crash or a full disk, is
 * passed over: its erasure was not answered.
 */
final class ErasureFile {
  private static final Set<OpenOption> APPEND =
      Set.of(StandardOpenOption.CREATE, StandardOpenOption.APPEND);

  private final Path file;

  ErasureFile(Path file) {
    this.file = file;
  }

  /** All of them, perhaps some twice; none if there is no file yet. */
  List<Erasure> read() throws IOException {
    var found = new ArrayList<Erasure>();
    if (Files.exists(file)) {
      for (var line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
        if (!line.isBlank()) {
          try {
            found.add(Codec.read(Erasure.class, line));
          } catch (EventoException cut) {
            continue;
          }
        }
      }
    }
    return found;
  }

  /** Ids and reasons are nobody else's business. */
  private FileAttribute<?>[] owned() {
    return file.getFileSystem().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
        }
        : new FileAttribute<?>[0];
  }

  /** Returns once it is on the disk. */
  void add(Erasure erasure) throws IOException {
    // A feed before it too, so that a line which was cut takes nothing of this one along.
    var line = ("\n" + Codec.text(erasure) + "\n").getBytes(StandardCharsets.UTF_8);
    try (var open = FileChannel.open(file, APPEND, owned())) {
      var bytes = ByteBuffer.wrap(line);
      while (bytes.hasRemaining()) {
        open.write(bytes);
      }
      open.force(true);
    }
  }
}
