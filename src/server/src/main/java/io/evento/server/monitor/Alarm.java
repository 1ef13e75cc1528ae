package io.evento.server.monitor;

import io.evento.protocol.Json;
import java.time.OffsetDateTime;
import org.jspecify.annotations.Nullable;

/**
 * A row of {@code alarm}.
 *
 * @param kind of an {@link AlarmKind}, or of one that another release knows
 * @param subject what it is about; empty for the cluster
 * @param severity {@code warning} or {@code critical}
 * @param since when it was seen first, by the database's clock
 * @param until when it was over; null while it goes on
 * @param cause a sentence, as of the last look
 */
public record Alarm(
    long id,
    String kind,
    String subject,
    String severity,
    OffsetDateTime since,
    @Nullable OffsetDateTime until,
    String cause,
    Json details) {
  Finding.Key key() {
    return new Finding.Key(kind, subject);
  }
}
