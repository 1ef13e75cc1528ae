package io.evento.server.consumer.outbox;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.eclipse.persistence.annotations.ReadOnly;
import org.jspecify.annotations.Nullable;

/**
 * A row of {@code scheduled_message} for pages: a command for later, or a deadline of a saga;
 * {@link ScheduleTable} acts on them.
 */
@Entity
@Table(name = "scheduled_message", schema = "evento")
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class ScheduledMessageRow {
  @Id private UUID id;
  private String kind;

  @Column(name = "due_at")
  private OffsetDateTime dueAt;

  @Column(name = "created_at")
  private OffsetDateTime createdAt;

  private @Nullable String type;
  private int attempts;
  private @Nullable String error;
  private @Nullable String name;
  private @Nullable Integer version;
  private @Nullable String key;
  private @Nullable String label;

  protected ScheduledMessageRow() {} // for JPA

  public UUID id() {
    return id;
  }

  /** {@code command} or {@code deadline}. */
  public String kind() {
    return kind;
  }

  public OffsetDateTime dueAt() {
    return dueAt;
  }

  public OffsetDateTime createdAt() {
    return createdAt;
  }

  /** Of the command; null for a deadline. */
  public @Nullable String type() {
    return type;
  }

  public int attempts() {
    return attempts;
  }

  public @Nullable String error() {
    return error;
  }

  /** Of the saga; null for a command. */
  public @Nullable String name() {
    return name;
  }

  public @Nullable Integer version() {
    return version;
  }

  /** Of the saga; null for a command. */
  public @Nullable String key() {
    return key;
  }

  /** The deadline's name; null for a command. */
  public @Nullable String label() {
    return label;
  }
}
