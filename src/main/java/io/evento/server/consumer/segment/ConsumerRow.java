package io.evento.server.consumer.segment;

import io.evento.server.eventstore.read.TagsConverter;
import jakarta.persistence.Column;
import jakarta.persistence.Convert;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import java.io.Serializable;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Objects;
import org.eclipse.persistence.annotations.ReadOnly;
import org.jspecify.annotations.Nullable;

/** A row of {@code consumer} for pages; {@link ConsumerTable} writes it. */
@Entity
@Table(name = "consumer", schema = "evento")
@IdClass(ConsumerRow.Key.class)
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class ConsumerRow {
  /** Its primary key; JPA knows no records as such. */
  public static class Key implements Serializable {
    private static final long serialVersionUID = 1L;
    private String name;
    private int version;

    protected Key() {} // for JPA

    public Key(String name, int version) {
      this.name = name;
      this.version = version;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Key key && key.name.equals(name) && key.version == version;
    }

    @Override
    public int hashCode() {
      return Objects.hash(name, version);
    }
  }

  @Id private String name;
  @Id private int version;
  private String kind;

  @Convert(converter = TagsConverter.class)
  private List<String> contexts;

  @Convert(converter = TagsConverter.class)
  private List<String> types;

  private String start;
  private String role;
  private String status;
  private @Nullable String note;

  @Column(name = "declared_at")
  private OffsetDateTime declaredAt;

  protected ConsumerRow() {} // for JPA

  public String name() {
    return name;
  }

  public int version() {
    return version;
  }

  public String kind() {
    return kind;
  }

  /** The contexts whose events it is given; empty for all. */
  public List<String> contexts() {
    return contexts;
  }

  /** The types of event that it is given; empty for all. */
  public List<String> types() {
    return types;
  }

  /** Where it began: {@code beginning} or {@code end}. */
  public String start() {
    return start;
  }

  /** {@code live} or {@code shadow}. */
  public String role() {
    return role;
  }

  public String status() {
    return status;
  }

  /** Why it is paused or full; null if it is not. */
  public @Nullable String note() {
    return note;
  }

  public OffsetDateTime declaredAt() {
    return declaredAt;
  }
}
