package io.evento.server.catalog;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import java.io.Serializable;
import java.util.Objects;
import org.eclipse.persistence.annotations.ReadOnly;
import org.jspecify.annotations.Nullable;

/** A declared type of payload for pages; bundles declare through {@link CatalogTable}. */
@Entity
@Table(name = "payload", schema = "evento")
@IdClass(PayloadRow.Key.class)
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class PayloadRow {
  @Id private String kind;
  @Id private String type;

  @Column(name = "component_kind")
  private String componentKind;

  private int version;
  private String component;
  private String context;

  @Column(name = "id_property")
  private @Nullable String idProperty;

  private @Nullable String schema;

  @Column(name = "view_schema")
  private @Nullable String viewSchema;

  private boolean retry;

  protected PayloadRow() {} // for JPA

  public String kind() {
    return kind;
  }

  public String type() {
    return type;
  }

  public int version() {
    return version;
  }

  public String componentKind() {
    return componentKind;
  }

  public String component() {
    return component;
  }

  public String context() {
    return context;
  }

  public @Nullable String idProperty() {
    return idProperty;
  }

  public @Nullable String schema() {
    return schema;
  }

  public @Nullable String viewSchema() {
    return viewSchema;
  }

  /** Of a service's command: whether it may be run again where nobody knows how a run ended. */
  public boolean retry() {
    return retry;
  }

  /** What makes a type one. */
  public static class Key implements Serializable {
    private static final long serialVersionUID = 1L;
    private String kind;
    private String type;

    public Key() {} // for JPA

    @Override
    public boolean equals(Object other) {
      return other instanceof Key key
          && Objects.equals(kind, key.kind)
          && Objects.equals(type, key.type);
    }

    @Override
    public int hashCode() {
      return Objects.hash(kind, type);
    }
  }
}
