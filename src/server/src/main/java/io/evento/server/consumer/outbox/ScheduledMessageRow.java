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
 * A row of {@code scheduled_message} for pages: a command for later, or a deadline of a saga.
 * Queries make views of it, so it has no getters; {@link ScheduleTable} acts on them.
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

  private @Nullable String name;
  private @Nullable Integer version;
  private @Nullable String key;
  private @Nullable String label;

  protected ScheduledMessageRow() {} // for JPA
}
