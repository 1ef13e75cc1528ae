package io.evento.server.eventstore.follow;

/** Tells other nodes what this one has just appended; {@link PeerEventsPublisher} does it. */
@FunctionalInterface
public interface AppendedEventsPublisher {
  /**
   * Never blocks and never throws: what gets lost on the way is read from the database by the
   * receiver within half a second. Called in order of position, by one thread.
   */
  void publish(AppendedEvents appendedEvents);
}
