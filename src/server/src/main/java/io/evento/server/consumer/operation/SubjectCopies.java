package io.evento.server.consumer.operation;

import io.evento.server.NodeScoped;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.SegmentTable;
import io.evento.server.consumer.step.StepTable;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.util.List;
import java.util.TreeMap;

/**
 * What consumers keep of a subject that was erased, and how far they have heard of it. What a saga
 * that lives keeps stays: it is unreadable without the key, and the saga could not go on without
 * the rest of it. Its methods block on the database.
 */
@NodeScoped
public class SubjectCopies {
  private final Database database;
  private final SegmentTable segments;
  private final StepTable steps;

  @Inject
  public SubjectCopies(Database database, SegmentTable segments, StepTable steps) {
    this.database = database;
    this.segments = segments;
    this.steps = steps;
  }

  /**
   * How far a consumer has come.
   *
   * @param segmentsBehind segments that are not past the event yet
   * @param deadLetters of that event
   */
  public record Standing(String consumer, int version, int segmentsBehind, int deadLetters) {}

  /**
   * Drops the states of sagas that ended.
   *
   * @param subject hash, by which the states are found
   * @return how many
   */
  public int dropEnded(String subject) {
    return steps.forgetEndedWith(subject);
  }

  /**
   * How far each consumer is.
   *
   * @param position of an event; 0 if it is not stored yet, which nobody is past
   */
  public List<Standing> standings(long position) {
    var parked =
        database.read("count dead letters", open -> DeadLetterOperations.countsAt(open, position));
    var behind = new TreeMap<ConsumerId, Integer>();
    for (var progress : segments.progress()) {
      var isBehind = position == 0 || progress.checkpoint().position() < position;
      behind.merge(progress.segment().consumer(), isBehind ? 1 : 0, Integer::sum);
    }
    return behind.entrySet().stream()
        .map(
            one ->
                new Standing(
                    one.getKey().name(),
                    one.getKey().version(),
                    one.getValue(),
                    parked.getOrDefault(one.getKey(), 0)))
        .toList();
  }
}
