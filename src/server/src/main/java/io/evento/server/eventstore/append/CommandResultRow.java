package io.evento.server.eventstore.append;

import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.read.EventRow;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.eclipse.persistence.annotations.ReadOnly;
import org.jspecify.annotations.Nullable;

/** A row of {@code command_result}, an outcome without events, for pages; see {@link EventRow}. */
@Entity
@Table(name = "command_result", schema = "evento")
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class CommandResultRow {
  @Id
  @Column(name = "command_id")
  private UUID commandId;

  @Column(name = "position_seen")
  private long positionSeen;

  @Column(name = "recorded_at")
  private OffsetDateTime recordedAt;

  private int kind;

  @Column(name = "stream_id")
  private @Nullable String stream;

  private @Nullable String body;

  protected CommandResultRow() {} // for JPA

  public UUID commandId() {
    return commandId;
  }

  /** Head of the store when it became final. */
  public long positionSeen() {
    return positionSeen;
  }

  public OffsetDateTime recordedAt() {
    return recordedAt;
  }

  public OutcomeKind kind() {
    return OutcomeKind.of(kind);
  }

  public @Nullable String stream() {
    return stream;
  }

  public @Nullable String body() {
    return body;
  }
}
