package io.evento.server.consumer.segment;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import java.io.Serializable;
import java.time.OffsetDateTime;
import java.util.Objects;
import java.util.UUID;
import org.eclipse.persistence.annotations.ReadOnly;
import org.jspecify.annotations.Nullable;

/**
 * A row of {@code consumer_segment} for pages; owners write theirs through {@link SegmentTable}.
 */
@Entity
@Table(name = "consumer_segment", schema = "evento")
@IdClass(ConsumerSegmentRow.Key.class)
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class ConsumerSegmentRow {
  /** Its primary key; JPA knows no records as such. */
  public static class Key implements Serializable {
    private static final long serialVersionUID = 1L;
    private String name;
    private int version;
    private int segment;

    protected Key() {} // for JPA

    public Key(String name, int version, int segment) {
      this.name = name;
      this.version = version;
      this.segment = segment;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Key key
          && key.name.equals(name)
          && key.version == version
          && key.segment == segment;
    }

    @Override
    public int hashCode() {
      return Objects.hash(name, version, segment);
    }
  }

  @Id private String name;
  @Id private int version;
  @Id private int segment;

  @Column(name = "first_slot")
  private int firstSlot;

  @Column(name = "last_slot")
  private int lastSlot;

  private long checkpoint;
  private UUID epoch;
  private long fence;
  private @Nullable String owner;

  // For queries: a node that ended without a word is still the owner of what nobody took over.
  @Column(name = "lease_until")
  private @Nullable OffsetDateTime leaseUntil;

  private String status;
  private @Nullable String note;

  @Column(name = "merge_with")
  private @Nullable Integer mergeWith;

  @Column(name = "merge_at")
  private @Nullable Long mergeAt;

  protected ConsumerSegmentRow() {} // for JPA

  public String name() {
    return name;
  }

  public int version() {
    return version;
  }

  public int segment() {
    return segment;
  }

  public int firstSlot() {
    return firstSlot;
  }

  public int lastSlot() {
    return lastSlot;
  }

  public long checkpoint() {
    return checkpoint;
  }

  public UUID epoch() {
    return epoch;
  }

  public long fence() {
    return fence;
  }

  /** The node that delivers it; null if none does. */
  public @Nullable String owner() {
    return owner;
  }

  public String status() {
    return status;
  }

  /** Why it is paused or does not get on; null if it does. */
  public @Nullable String note() {
    return note;
  }

  /** The segment that it is to be one with; null for none. */
  public @Nullable Integer mergeWith() {
    return mergeWith;
  }

  /** The position where both wait for each other; null for none. */
  public @Nullable Long mergeAt() {
    return mergeAt;
  }
}
