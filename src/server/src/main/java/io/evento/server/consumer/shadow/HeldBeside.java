package io.evento.server.consumer.shadow;

/**
 * Parts of statements that look at what a shadow holds, beside another version of its consumer: the
 * held command is {@code w}, the segment of the other version {@code s}.
 */
final class HeldBeside {
  /**
   * Whether another version, whose segment is {@code s}, has not handled what led to the command
   * {@code w}: the event is beyond its checkpoint or among its dead letters, the outcome waits for
   * it, or the deadline, or one that had to pass before it, is set there.
   */
  static final String OPEN =
      """
      (coalesce(w.origin_event > greatest(s.checkpoint, s.effects_after), false)
       or exists (select from evento.dead_letter d
                   where d.name = w.name and d.version = s.version
                     and d.position = w.origin_event and d.dropped_at is null)
       or exists (select from evento.consumer_command c
                   where c.id = w.origin_outcome and c.name = w.name and c.version = s.version)
       or exists (select from evento.shadow_command c
                   where c.name = w.name and c.version = s.version and c.id = w.origin_outcome)
       or exists (select from evento.scheduled_message m
                   where m.kind = 'deadline' and m.name = w.name and m.version = s.version
                     and m.key = w.key and m.origin_deadlines[1] = any(w.origin_deadlines)))
      """;

  /** Parameters: the other version's number, then the shadow. */
  static final String HELD_BESIDE =
      """
      from evento.shadow_command w
      join evento.consumer_segment s
        on s.name = w.name and s.version = ? and w.slot between s.first_slot and s.last_slot
     where w.name = ? and w.version = ? and w.settled_at is null
      """;

  /**
   * Whether that version has the same command in its outbox, so that it is not the shadow's alone;
   * without its last bracket.
   */
  static final String SENT_TOO =
      """
      exists (select from evento.consumer_command c
               where c.id = w.id and c.name = w.name and c.version = s.version
      """;

  private HeldBeside() {}
}
