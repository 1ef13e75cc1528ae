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

/** A declared component for pages; bundles declare through {@link CatalogTable}. */
@Entity
@Table(name = "component", schema = "evento")
@IdClass(ComponentRow.Key.class)
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class ComponentRow {
  @Id private String kind;
  @Id private String name;
  @Id private int version;
  private String context;
  private String bundle;

  @Column(name = "declared_at")
  private OffsetDateTime declaredAt;

  protected ComponentRow() {} // for JPA

  public String kind() {
    return kind;
  }

  public String name() {
    return name;
  }

  public int version() {
    return version;
  }

  public String context() {
    return context;
  }

  public String bundle() {
    return bundle;
  }

  public OffsetDateTime declaredAt() {
    return declaredAt;
  }

  /** What makes a component one. */
  public static class Key implements Serializable {
    private static final long serialVersionUID = 1L;
    private String kind;
    private String name;
    private int version;

    public Key() {} // for JPA

    @Override
    public boolean equals(Object other) {
      return other instanceof Key key
          && Objects.equals(kind, key.kind)
          && Objects.equals(name, key.name)
          && version == key.version;
    }

    @Override
    public int hashCode() {
      return Objects.hash(kind, name, version);
    }
  }
}
