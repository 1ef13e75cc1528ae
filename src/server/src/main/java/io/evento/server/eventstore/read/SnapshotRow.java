package io.evento.server.eventstore.read;

import io.evento.protocol.Tip;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.OffsetDateTime;
import org.eclipse.persistence.annotations.ReadOnly;

/** A row of {@code snapshot} for pages; states are kept and loaded by {@link SnapshotTable}. */
@Entity
@Table(name = "snapshot", schema = "evento")
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class SnapshotRow {
  @Id
  @Column(name = "stream_id")
  private String stream;

  private long version;
  private long decision;
  private String schema;
  private String state;
  private OffsetDateTime at;

  protected SnapshotRow() {} // for JPA

  public String stream() {
    return stream;
  }

  public Tip tip() {
    return new Tip(version, decision);
  }

  public String schema() {
    return schema;
  }

  public String state() {
    return state;
  }

  public OffsetDateTime at() {
    return at;
  }
}
