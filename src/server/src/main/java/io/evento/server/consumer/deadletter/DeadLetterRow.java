package io.evento.server.consumer.deadletter;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.eclipse.persistence.annotations.ReadOnly;
import org.jspecify.annotations.Nullable;

/** A row of {@code dead_letter} for pages; {@link DeadLetterTable} says how it comes and goes. */
@Entity
@Table(name = "dead_letter", schema = "evento")
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class DeadLetterRow {
  @Id private UUID id;
  private String name;
  private int version;
  private String kind;

  @Column(name = "sequence_key")
  private String sequenceKey;

  private long position;
  private int slot;

  @Column(name = "command_id")
  private UUID commandId;

  private String type;

  @Column(name = "parked_at")
  private OffsetDateTime parkedAt;

  @Column(name = "failed_at")
  private @Nullable OffsetDateTime failedAt;

  private int attempts;
  private @Nullable String cause;

  @Column(name = "cause_group")
  private @Nullable String causeGroup;

  @Column(name = "retry_at")
  private @Nullable OffsetDateTime retryAt;

  @Column(name = "dropped_at")
  private @Nullable OffsetDateTime droppedAt;

  @Column(name = "edited_at")
  private @Nullable OffsetDateTime editedAt;

  @Column(name = "edited_by")
  private @Nullable String editedBy;

  @Column(name = "edit_reason")
  private @Nullable String editReason;

  protected DeadLetterRow() {} // for JPA

  public UUID id() {
    return id;
  }

  public String name() {
    return name;
  }

  public int version() {
    return version;
  }

  /** {@code event}, or of a saga {@code outcome} or {@code deadline}. */
  public String kind() {
    return kind;
  }

  /** The key whose order it keeps: of a saga its association's value, else the stream. */
  public String sequenceKey() {
    return sequenceKey;
  }

  /** Of the event; 0 for what is none. */
  public long position() {
    return position;
  }

  public int slot() {
    return slot;
  }

  /**
   * Of the event's command; where the event at the position has another one, it was lost. For what
   * is no event the id of the row that waits.
   */
  public UUID commandId() {
    return commandId;
  }

  /** Of the event, or of the command that had the outcome; of a deadline its name. */
  public String type() {
    return type;
  }

  public OffsetDateTime parkedAt() {
    return parkedAt;
  }

  /** Null if it was never tried, but waits behind another one of its key. */
  public @Nullable OffsetDateTime failedAt() {
    return failedAt;
  }

  public int attempts() {
    return attempts;
  }

  public @Nullable String cause() {
    return cause;
  }

  public @Nullable String causeGroup() {
    return causeGroup;
  }

  /** When it is to be tried again; null if nobody asked. */
  public @Nullable OffsetDateTime retryAt() {
    return retryAt;
  }

  /**
   * When the payload was stored that it is tried with; null for the event's own. That payload is
   * read for one letter only: {@link DeadLetterTable#edited}.
   */
  public @Nullable OffsetDateTime editedAt() {
    return editedAt;
  }

  /** Who stored it; null without one. */
  public @Nullable String editedBy() {
    return editedBy;
  }

  /** Why, in his words; null without one. */
  public @Nullable String editReason() {
    return editReason;
  }

  /** When it was given up; its row stays for a moment and is shown to nobody. */
  public @Nullable OffsetDateTime droppedAt() {
    return droppedAt;
  }
}
