package io.evento.server.consumer.segment;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.OffsetDateTime;
import org.eclipse.persistence.annotations.ReadOnly;
import org.jspecify.annotations.Nullable;

/**
 * A row of {@code consumer_audit}: something that was done to a consumer. Queries make views of it,
 * so it has no getters.
 */
@Entity
@Table(name = "consumer_audit", schema = "evento")
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class ConsumerAuditRow {
  @Id private long id;
  private String name;
  private int version;
  private OffsetDateTime at;

  @jakarta.persistence.Column(name = "done_by")
  private String by;

  private String action;
  private String detail;
  private @Nullable String reason;

  protected ConsumerAuditRow() {} // for JPA
}
