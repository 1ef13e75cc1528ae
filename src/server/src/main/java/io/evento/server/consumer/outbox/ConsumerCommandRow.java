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
 * A row of {@code consumer_command}, the outbox, for pages, whose queries make views of it, so it
 * has no getters; {@link OutboxTable} sends them.
 */
@Entity
@Table(name = "consumer_command", schema = "evento")
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class ConsumerCommandRow {
  @Id private UUID id;
  private String name;
  private int version;
  private String key;
  private String type;
  private String payload;
  private String correlation;
  private int attempts;
  private @Nullable String error;
  private @Nullable String outcome;

  @Column(name = "created_at")
  private OffsetDateTime createdAt;

  @Column(name = "next_at")
  private OffsetDateTime nextAt;

  /** As text: EclipseLink 4 cannot read a UUID that is null. */
  @Column(name = "claimed_by")
  private @Nullable String claimedBy;

  @Column(name = "settled_at")
  private @Nullable OffsetDateTime settledAt;

  protected ConsumerCommandRow() {} // for JPA
}
