package io.evento.server.consumer.outbox;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.eclipse.persistence.annotations.ReadOnly;
import org.jspecify.annotations.Nullable;

/** A row of {@code consumer_command}, the outbox, for pages; {@link OutboxTable} sends them. */
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

  /** Under which it is sent. */
  public UUID id() {
    return id;
  }

  /** Name of the saga or observer that sends it. */
  public String name() {
    return name;
  }

  public int version() {
    return version;
  }

  /** Of the saga; for an observer the stream that it reacted to. */
  public String key() {
    return key;
  }

  public String type() {
    return type;
  }

  /** JSON. */
  public String payload() {
    return payload;
  }

  public String correlation() {
    return correlation;
  }

  public int attempts() {
    return attempts;
  }

  /** Why the last attempt was not final; null if there was none. */
  public @Nullable String error() {
    return error;
  }

  /** JSON, once it is final and waits for its saga. */
  public @Nullable String outcome() {
    return outcome;
  }

  public OffsetDateTime createdAt() {
    return createdAt;
  }

  /** Not sent before; while a node sends it, the end of that node's claim. */
  public OffsetDateTime nextAt() {
    return nextAt;
  }

  /** Incarnation of the node that sends it; null if none does. */
  public @Nullable String claimedBy() {
    return claimedBy;
  }

  public @Nullable OffsetDateTime settledAt() {
    return settledAt;
  }
}
