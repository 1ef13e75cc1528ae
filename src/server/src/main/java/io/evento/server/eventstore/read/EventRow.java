package io.evento.server.eventstore.read;

import jakarta.persistence.Column;
import jakarta.persistence.Convert;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;
import org.eclipse.persistence.annotations.ReadOnly;
import org.jspecify.annotations.Nullable;

/**
 * A row of {@code event} for pages; appending goes through {@code Appender}, following through
 * {@code Follower}, and the server's role could not write it anyhow.
 */
@Entity
@Table(name = "event", schema = "evento")
@ReadOnly
@SuppressWarnings("NullAway.Init") // filled by JPA
public class EventRow {
  @Id private long position;

  @Column(name = "stream_id")
  private String stream;

  private long version;
  private long decision;
  private String context;
  private String type;

  @Column(name = "recorded_at")
  private OffsetDateTime recordedAt;

  @Column(name = "command_id")
  private UUID commandId;

  @Column(name = "ord")
  private int ordinal;

  @Convert(converter = TagsConverter.class)
  private List<String> tags;

  private @Nullable String meta;
  private String payload;
  private @Nullable String answer;

  protected EventRow() {} // for JPA

  public long position() {
    return position;
  }

  public String stream() {
    return stream;
  }

  public long version() {
    return version;
  }

  public long decision() {
    return decision;
  }

  public String context() {
    return context;
  }

  public String type() {
    return type;
  }

  public OffsetDateTime recordedAt() {
    return recordedAt;
  }

  public UUID commandId() {
    return commandId;
  }

  /** Place among the events of its command, from 0. */
  public int ordinal() {
    return ordinal;
  }

  public List<String> tags() {
    return tags;
  }

  public @Nullable String meta() {
    return meta;
  }

  public String payload() {
    return payload;
  }

  /** Value for the command's caller; first event only. */
  public @Nullable String answer() {
    return answer;
  }
}
