package io.evento.server.consumer.shadow;

import io.evento.protocol.Json;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How what a shadow decides compares with what the live version has sent. Counted since it became a
 * shadow for the first time.
 *
 * @param consumer its name and version
 * @param live the version that it is compared with; null if it is live itself
 * @param alike commands that both decided about the same, with the same type and payload
 * @param different commands that both decided about the same, with another type or payload
 * @param held commands without an outcome as yet
 * @param alone how many of those are about something that the live version has handled without such
 *     a command, of the latest 10,000 that may be; a switch would drop them
 * @param discarded how many such were dropped
 * @param examples some of those that it alone decided, the latest first
 */
public record Comparison(
    String consumer,
    @Nullable String live,
    long alike,
    long different,
    long held,
    long alone,
    long discarded,
    List<Example> examples) {

  /**
   * A command that the shadow alone decided, and what about.
   *
   * @param key of the saga; for an observer the stream that it reacted to
   * @param event position of the event, or of the one that the saga's deadlines began with
   * @param outcome id of the command whose outcome it was
   * @param deadline name of the deadline that passed
   */
  public record Example(
      UUID id,
      String type,
      String key,
      Json payload,
      @Nullable Long event,
      @Nullable UUID outcome,
      @Nullable String deadline) {}
}
