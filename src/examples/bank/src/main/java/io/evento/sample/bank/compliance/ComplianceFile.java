package io.evento.sample.bank.compliance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * A file of one JSON object per line, each with the id of the command that wrote it. Several
 * processes may append to it: whoever holds the lock on the file first reads what the others wrote
 * since, so an id is never written twice. A line counts once its line feed is on the disk; what a
 * killed process left behind without one is cut off.
 */
public class ComplianceFile implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final FileChannel channel;
  private final Map<UUID, Long> numbers = new HashMap<>();
  private long read;

  private ComplianceFile(FileChannel channel) {
    this.channel = channel;
  }

  public static ComplianceFile open(Path path) throws IOException {
    return new ComplianceFile(FileChannel.open(path, CREATE, READ, WRITE));
  }

  /**
   * @return number of the command's line, 1 and up; that of the first time if it was here before
   */
  // The lock keeps out other processes; among the threads of this one, synchronized does.
  synchronized long append(UUID commandId, NotifyCompliance command) throws IOException {
    try (var held = channel.lock()) {
      readNewLines();
      var known = numbers.get(commandId);
      if (known != null) {
        return known;
      }
      var line = JSON.writeValueAsString(new Line(commandId, command)) + '\n';
      writeAtEnd(ByteBuffer.wrap(line.getBytes(UTF_8)));
      numbers.put(commandId, numbers.size() + 1L);
      return numbers.size();
    }
  }

  private void readNewLines() throws IOException {
    var news = ByteBuffer.allocate(Math.toIntExact(channel.size() - read));
    while (news.hasRemaining()) {
      if (channel.read(news, read + news.position()) < 0) {
        throw new EOFException("the file became shorter");
      }
    }
    var bytes = news.array();
    var start = 0;
    for (var i = 0; i < bytes.length; i++) {
      if (bytes[i] == '\n') {
        var line = JSON.readValue(bytes, start, i - start, Line.class);
        numbers.put(line.commandId(), numbers.size() + 1L);
        start = i + 1;
      }
    }
    read += start;
  }

  private void writeAtEnd(ByteBuffer line) throws IOException {
    channel.truncate(read);
    while (line.hasRemaining()) {
      channel.write(line, read + line.position());
    }
    channel.force(true);
    read += line.limit();
  }

  @Override
  public synchronized void close() throws IOException {
    channel.close();
  }

  private record Line(UUID commandId, NotifyCompliance deposit) {}
}
