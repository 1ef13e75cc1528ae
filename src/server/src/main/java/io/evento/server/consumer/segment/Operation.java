package io.evento.server.consumer.segment;

import java.util.List;

/**
 * What an operation did, or would do.
 *
 * @param action such as {@code reset}
 * @param consumer its name and version
 * @param dryRun whether all of it was undone
 * @param detail in a sentence, as the audit has it
 * @param segments those concerned, as they are afterwards
 * @param deadLetters how many were asked for, dropped or forgotten
 */
public record Operation(
    String action,
    String consumer,
    boolean dryRun,
    String detail,
    List<Segment> segments,
    long deadLetters) {

  /** A segment afterwards. */
  public record Segment(
      int segment, int firstSlot, int lastSlot, long checkpoint, long fence, String status) {}
}
