package io.evento.server.consumer.shadow;

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
 * A row of {@code shadow_command}, what shadows hold, for pages, whose queries make views of it, so
 * it has no getters; {@link HeldCommandTable} writes it.
 */
@Entity
@Table(name = "shadow_command", schema = "evento")
@IdClass(ShadowCommandRow.Key.class)
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class ShadowCommandRow {
  /** Its primary key; JPA knows no records as such. */
  public static class Key implements Serializable {
    private static final long serialVersionUID = 1L;
    private String name;
    private int version;
    private UUID id;

    public Key() {} // for JPA

    @Override
    public boolean equals(Object other) {
      return other instanceof Key key
          && key.name.equals(name)
          && key.version == version
          && key.id.equals(id);
    }

    @Override
    public int hashCode() {
      return Objects.hash(name, version, id);
    }
  }

  @Id private String name;
  @Id private int version;
  @Id private UUID id;
  private String key;
  private String type;
  private String payload;
  private String correlation;
  private @Nullable String outcome;

  @Column(name = "created_at")
  private OffsetDateTime createdAt;

  @Column(name = "settled_at")
  private @Nullable OffsetDateTime settledAt;

  protected ShadowCommandRow() {} // for JPA
}
