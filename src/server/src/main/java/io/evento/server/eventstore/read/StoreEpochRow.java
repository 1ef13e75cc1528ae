package io.evento.server.eventstore.read;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.eclipse.persistence.annotations.ReadOnly;

/** A row of {@code store_epoch} for pages: one life of the store. */
@Entity
@Table(name = "store_epoch", schema = "evento")
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class StoreEpochRow {
  @Id private int ordinal;

  private UUID id;

  @Column(name = "starts_after")
  private long startsAfter;

  private String timeline;
  private OffsetDateTime at;

  protected StoreEpochRow() {} // for JPA

  public int ordinal() {
    return ordinal;
  }

  public UUID id() {
    return id;
  }

  public long startsAfter() {
    return startsAfter;
  }

  public String timeline() {
    return timeline;
  }

  public OffsetDateTime at() {
    return at;
  }
}
