package io.evento.protocol;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A command that waits for its time.
 *
 * @param commandId under which it will be sent; a command sent under it gets the outcome
 * @param dueAt RFC 3339, by the database's clock
 * @param scheduledAt RFC 3339, by the database's clock
 * @param attempts so far; more than 0 if it is being sent, or was and has to be again
 * @param error why the last attempt was not final; null if there was none
 */
public record Scheduled(
    UUID commandId,
    String type,
    String dueAt,
    String scheduledAt,
    int attempts,
    @Nullable String error,
    Json payload) {

  /** When it is due, as an instant. */
  public Instant due() {
    return Instant.parse(dueAt);
  }

  /**
   * What waits, the first due first.
   *
   * @param next id of the last one, to go on with; null at the end
   */
  public record Page(List<Scheduled> schedules, @Nullable UUID next) {
    public Page {
      schedules = schedules == null ? List.of() : List.copyOf(schedules);
    }
  }
}
