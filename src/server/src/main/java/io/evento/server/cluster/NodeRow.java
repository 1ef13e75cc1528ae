package io.evento.server.cluster;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.eclipse.persistence.annotations.ReadOnly;

/** A row of {@code node} for pages; nodes write their own row through {@link NodeTable}. */
@Entity
@Table(name = "node", schema = "evento")
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class NodeRow {
  @Id private String name;
  private UUID incarnation;
  private String url;
  private String release;
  private String state;

  @Column(name = "started_at")
  private OffsetDateTime startedAt;

  @Column(name = "seen_at")
  private OffsetDateTime seenAt;

  protected NodeRow() {} // for JPA

  public String name() {
    return name;
  }

  public UUID incarnation() {
    return incarnation;
  }

  public String url() {
    return url;
  }

  public String release() {
    return release;
  }

  public String state() {
    return state;
  }

  public OffsetDateTime startedAt() {
    return startedAt;
  }

  public OffsetDateTime seenAt() {
    return seenAt;
  }
}
