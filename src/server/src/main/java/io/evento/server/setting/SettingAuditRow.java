package io.evento.server.setting;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.OffsetDateTime;
import org.jspecify.annotations.Nullable;

/** One change of a setting; written with it in one transaction and never changed. */
@Entity
@Table(name = "setting_audit", schema = "evento")
@SuppressWarnings("NullAway.Init") // filled by JPA
public class SettingAuditRow {
  @Id
  @GeneratedValue(strategy = GenerationType.IDENTITY)
  private Long id;

  private String key;

  @Column(name = "old_value")
  private @Nullable String oldValue;

  @Column(name = "new_value")
  private @Nullable String newValue;

  @Column(name = "changed_at")
  private OffsetDateTime changedAt;

  @Column(name = "changed_by")
  private String changedBy;

  private @Nullable String reason;

  protected SettingAuditRow() {} // for JPA

  SettingAuditRow(
      String key,
      @Nullable String oldValue,
      @Nullable String newValue,
      OffsetDateTime changedAt,
      String changedBy,
      @Nullable String reason) {
    this.key = key;
    this.oldValue = oldValue;
    this.newValue = newValue;
    this.changedAt = changedAt;
    this.changedBy = changedBy;
    this.reason = reason;
  }

  long id() {
    return id;
  }

  @Nullable String before() {
    return oldValue;
  }

  @Nullable String after() {
    return newValue;
  }

  String by() {
    return changedBy;
  }
}
