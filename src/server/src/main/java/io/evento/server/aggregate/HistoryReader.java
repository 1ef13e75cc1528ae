package io.evento.server.aggregate;

import io.evento.protocol.DecideMessage.History;
import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.DecideMessage.Snapshot;
import io.evento.protocol.Json;
import io.evento.protocol.Tip;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.read.SnapshotTable;
import io.evento.server.eventstore.read.StreamReader;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads what leads to a stream's present state, in parts that fit into a frame. However long a
 * stream is, about {@value #CHARS_AT_ONCE} characters of it are held: a longer history ends before
 * the present state, and goes on from the state that the handler has then.
 */
@NodeScoped
public class HistoryReader {
  private static final int PART_EVENTS = 500;
  private static final int PART_BYTES = 256 << 10;
  private static final int CHARS_AT_ONCE = 8 << 20;

  /** Less than a session takes. */
  private static final int CHARS_MAX = 24 << 20;

  /** What a part's event has beside its type and payload, roughly. */
  private static final int EVENT_CHARS = 40;

  private final StreamReader reader;
  private final SnapshotTable snapshots;

  @Inject
  public HistoryReader(StreamReader reader, SnapshotTable snapshots) {
    this.reader = reader;
    this.snapshots = snapshots;
  }

  /**
   * @param tip the state that the parts lead to
   * @param isPartial whether that is not the present one
   */
  record Told(Tip tip, List<History> parts, boolean isPartial) {}

  /**
   * Blocks on the database.
   *
   * @param schema of the state that a snapshot may be in; null to tell all from the beginning
   * @param perPart characters that each part has beside its events
   */
  Told read(String stream, @Nullable String schema, int perPart) {
    if (schema != null) {
      var kept = snapshots.load(stream, schema);
      if (kept.isPresent()) {
        var from = kept.get().tip();
        var told =
            readOn(stream, from, new Snapshot(schema, new Json(kept.get().state())), perPart);
        if (told.isPresent()) {
          return told.get();
        }
      }
    }
    return fromTheBeginning(stream, perPart, CHARS_AT_ONCE);
  }

  /**
   * Reads all of it for a handler that cannot tell its state on the way; partial if it is more than
   * a session takes. Blocks on the database.
   */
  Told readAll(String stream, int perPart) {
    return fromTheBeginning(stream, perPart, CHARS_MAX);
  }

  private Told fromTheBeginning(String stream, int perPart, int charsMax) {
    return readOn(stream, Tip.EMPTY, null, perPart, charsMax)
        .orElseThrow(() -> new IllegalStateException("the store changed under a history"));
  }

  /**
   * Reads what follows on a state. Blocks on the database.
   *
   * @param snapshot that state; null for that of a stream without events
   * @return empty if the stream never had it
   */
  Optional<Told> readOn(String stream, Tip from, @Nullable Snapshot snapshot, int perPart) {
    return readOn(stream, from, snapshot, perPart, CHARS_AT_ONCE);
  }

  private Optional<Told> readOn(
      String stream, Tip from, @Nullable Snapshot snapshot, int perPart, int charsMax) {
    var parts = new ArrayList<History>();
    var at = from;
    var chars = 0L;
    while (true) {
      var read = reader.history(stream, at, PART_EVENTS, PART_BYTES);
      if (read.isEmpty()) {
        return Optional.empty();
      }
      var part = read.get();
      chars += perPart + part.events().stream().mapToLong(HistoryReader::chars).sum();
      var isFull = chars >= charsMax;
      parts.add(
          new History(
              part.from().version(),
              parts.isEmpty() ? snapshot : null,
              part.events(),
              part.more() && !isFull,
              part.more() && isFull));
      at = part.tip();
      if (!part.more() || isFull) {
        return Optional.of(new Told(at, parts, part.more()));
      }
    }
  }

  private static long chars(HistoryEvent event) {
    return EVENT_CHARS + event.type().length() + event.payload().text().length();
  }
}
