package io.evento.server.eventstore;

/**
 * Which of the stored events somebody wants, told by what is known of one before it is made: who
 * reads a long history for a part of its streams spends most of the time on making what nobody
 * looks at.
 */
@FunctionalInterface
public interface EventPredicate {
  /** All of them. */
  EventPredicate ALL = (stream, type, context) -> true;

  /**
   * Asked on the thread that reads.
   *
   * @param stream such as {@code Account:a-1}
   */
  boolean wants(String stream, String type, String context);
}
