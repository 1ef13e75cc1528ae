package io.evento.server.consumer.segment;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import java.io.Serializable;
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

  private String start;
  private String role;
  private String status;
  private @Nullable String note;

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
}
