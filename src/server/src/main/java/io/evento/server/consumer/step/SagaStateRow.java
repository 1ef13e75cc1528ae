package io.evento.server.consumer.step;

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

/**
 * A row of {@code saga_state} for pages, whose queries make views of it, so it has no getters;
 * steps write theirs through {@link StepTable}.
 */
@Entity
@Table(name = "saga_state", schema = "evento")
@IdClass(SagaStateRow.Key.class)
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class SagaStateRow {
  /** Its primary key; JPA knows no records as such. */
  public static class Key implements Serializable {
    private static final long serialVersionUID = 1L;
    private String name;
    private int version;
    private String key;

    public Key() {} // for JPA

    @Override
    public boolean equals(Object other) {
      return other instanceof Key that
          && that.name.equals(name)
          && that.version == version
          && that.key.equals(key);
    }

    @Override
    public int hashCode() {
      return Objects.hash(name, version, key);
    }
  }

  @Id private String name;
  @Id private int version;
  @Id private String key;
  private long born;
  private long position;
  private String state;
  private String correlation;

  @Column(name = "started_at")
  private OffsetDateTime startedAt;

  @Column(name = "changed_at")
  private OffsetDateTime changedAt;

  @Column(name = "ended_at")
  private @Nullable OffsetDateTime endedAt;

  protected SagaStateRow() {} // for JPA
}
