package io.evento.server.eventstore;

import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.server.eventstore.AppendRequest.ProposedEvent;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Makes {@link RecordedEvent}s of rows, and of what is about to be rows. */
public final class RecordedEvents {
  /** What {@link #event()} reads, in its order. */
  public static final String COLUMNS =
      "position, version, recorded_at, command_id, stream_id, context, type, meta, payload,"
          // Most events have none: an array that is not there need not be taken apart.
          + " nullif(tags, '{}') as tags";

  private static final DateTimeFormatter MICROSECONDS =
      new DateTimeFormatterBuilder()
          .append(DateTimeFormatter.ISO_LOCAL_DATE)
          .appendLiteral('T')
          .appendPattern("HH:mm:ss")
          .appendFraction(ChronoField.NANO_OF_SECOND, 6, 6, true)
          .appendLiteral('Z')
          .toFormatter()
          .withZone(ZoneOffset.UTC);

  /** The same event, with another payload. */
  public static RecordedEvent with(RecordedEvent event, Json payload) {
    return new RecordedEvent(
        event.position(),
        event.aggregate(),
        event.version(),
        event.type(),
        event.payloadVersion(),
        event.context(),
        event.time(),
        event.commandId(),
        event.correlationId(),
        event.causationId(),
        event.tags(),
        event.metadata(),
        payload);
  }

  private final ResultSet rows;
  // The events of a batch share one time.
  private @Nullable OffsetDateTime lastTime;
  private String lastText = "";

  public RecordedEvents(ResultSet rows) {
    this.rows = rows;
  }

  /** Whether somebody wants the event of the row at which the cursor stands. */
  public boolean isWanted(EventPredicate eventPredicate) throws SQLException {
    return eventPredicate.wants(rows.getString(5), rows.getString(7), rows.getString(6));
  }

  /** The event of the row at which the cursor stands. */
  public RecordedEvent event() throws SQLException {
    var commandId = rows.getObject(4, UUID.class);
    return event(
        rows.getLong(1),
        rows.getString(5),
        rows.getLong(2),
        rows.getString(7),
        rows.getString(6),
        time(rows.getObject(3, OffsetDateTime.class)),
        commandId,
        rows.getString(8),
        rows.getString(9),
        tags());
  }

  private List<String> tags() throws SQLException {
    var array = rows.getArray(10);
    return array == null ? List.of() : List.of((String[]) array.getArray());
  }

  private String time(OffsetDateTime time) {
    if (!time.equals(lastTime)) {
      lastTime = time;
      lastText = text(time.toInstant());
    }
    return lastText;
  }

  /** RFC 3339, UTC, microseconds. */
  public static String text(Instant time) {
    return MICROSECONDS.format(time);
  }

  /** An event that was just stored, as its row would be read. */
  public static RecordedEvent event(
      AppendRequest appendRequest, ProposedEvent event, long position, long version, String time) {
    return event(
        position,
        appendRequest.bases().get(event.basis()).stream(),
        version,
        event.type(),
        event.context(),
        time,
        appendRequest.commandId(),
        event.meta(),
        event.payload(),
        event.tags());
  }

  private static RecordedEvent event(
      long position,
      String stream,
      long version,
      String type,
      String context,
      String time,
      UUID commandId,
      @Nullable String metaText,
      String payload,
      List<String> tags) {
    var meta = EventMeta.of(metaText, commandId);
    var colon = stream.indexOf(':');
    return new RecordedEvent(
        position,
        new RecordedEvent.Stream(stream.substring(0, colon), stream.substring(colon + 1)),
        version,
        type,
        EventMeta.payloadVersion(metaText),
        context,
        time,
        commandId,
        meta.correlation(),
        meta.causation(),
        tags,
        meta.user(),
        new Json(payload));
  }
}
