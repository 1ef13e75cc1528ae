package io.evento.server.setting;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.OffsetDateTime;

/** A value that an operator set for the whole cluster. */
@Entity
@Table(name = "setting", schema = "evento")
@SuppressWarnings("NullAway.Init") // filled by JPA
public class SettingRow {
  @Id private String key;
  private String value;

  @Column(name = "changed_at")
  private OffsetDateTime changedAt;

  @Column(name = "changed_by")
  private String changedBy;

  protected SettingRow() {} // for JPA

  SettingRow(String key) {
    this.key = key;
  }

  void set(String newValue, String by, OffsetDateTime at) {
    value = newValue;
    changedBy = by;
    changedAt = at;
  }

  public String value() {
    return value;
  }
}
