package io.evento.server.consumer.outbox;

import io.evento.protocol.StepMessage;
import io.evento.server.consumer.segment.Cause;
import java.util.List;
import java.util.UUID;

/**
 * What waits for the sagas of a segment beside events: outcomes of their commands and deadlines
 * that passed.
 *
 * @param outcomes in the order in which they became final
 * @param deadlines in the order in which they were due
 * @param more whether there may be others
 */
public record PendingSagaInput(List<Outcome> outcomes, List<Deadline> deadlines, boolean more) {
  public static final PendingSagaInput EMPTY = new PendingSagaInput(List.of(), List.of(), false);

  /**
   * @param born the life of the saga that sent the command
   */
  public record Outcome(String key, int slot, long born, StepMessage.Settled settled) {}

  /**
   * @param origin of what it leads to
   */
  public record Deadline(UUID id, String key, int slot, StepMessage.Due due, Cause origin) {}
}
