package io.evento.server.catalog;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import java.io.Serializable;
import java.time.OffsetDateTime;
import java.util.Objects;
import org.eclipse.persistence.annotations.ReadOnly;
import org.jspecify.annotations.Nullable;

/** A shape that a type of payload has or had; written through {@link PayloadVersionTable}. */
@Entity
@Table(name = "payload_version", schema = "evento")
@IdClass(PayloadVersionRow.Key.class)
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class PayloadVersionRow {
  @Id private String kind;
  @Id private String type;
  @Id private int version;
  private @Nullable String schema;
  private String bundle;

  @Column(name = "declared_at")
  private OffsetDateTime declaredAt;

  protected PayloadVersionRow() {} // for JPA

  public String kind() {
    return kind;
  }

  public String type() {
    return type;
  }

  public int version() {
    return version;
  }

  public @Nullable String schema() {
    return schema;
  }

  public String bundle() {
    return bundle;
  }

  public OffsetDateTime declaredAt() {
    return declaredAt;
  }

  /** What makes a version one. */
  public static class Key implements Serializable {
    private static final long serialVersionUID = 1L;
    private String kind;
    private String type;
    private int version;

    public Key() {} // for JPA

    @Override
    public boolean equals(Object other) {
      return other instanceof Key key
          && Objects.equals(kind, key.kind)
          && Objects.equals(type, key.type)
          && version == key.version;
    }

    @Override
    public int hashCode() {
      return Objects.hash(kind, type, version);
    }
  }
}
