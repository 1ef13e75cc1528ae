package io.evento.server.eventstore;

import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Tip;
import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Reads events and outcomes. Every read is one short statement of bounded size. */
@NodeScoped
public class EventReader {
  private final Database database;

  @Inject
  public EventReader(Database database) {
    this.database = database;
  }

  /** The lives of the store so far. */
  public Epochs epochs() {
    throw new UnsupportedOperationException("next commit " + database);
  }

  /** Last position of the store, in its present epoch. */
  public StorePosition head() {
    throw new UnsupportedOperationException("next commit");
  }

  /**
   * What leads from a state of a stream to the present one.
   *
   * @param after a state, such as that of a snapshot; {@link Tip#EMPTY} for the whole story
   * @param eventsMax at most this many
   * @param bytesMax about this many bytes of payload, but at least one event
   * @return empty if the stream never had the state {@code after}
   */
  public Optional<StoredStory> story(String stream, Tip after, int eventsMax, int bytesMax) {
    throw new UnsupportedOperationException("next commit");
  }

  /** State of a stream now; {@link Tip#EMPTY} if it has no events. */
  public Tip tip(String stream) {
    throw new UnsupportedOperationException("next commit");
  }

  /**
   * A stream's events, oldest first.
   *
   * @param fromVersion 1 and up; the first wanted
   */
  public EventPage streamForward(String stream, long fromVersion, int eventsMax) {
    throw new UnsupportedOperationException("next commit");
  }

  /**
   * A stream's events, newest first.
   *
   * @param fromVersion the first wanted, the highest of the page; {@code Long.MAX_VALUE} for the
   *     newest
   */
  public EventPage streamBackward(String stream, long fromVersion, int eventsMax) {
    throw new UnsupportedOperationException("next commit");
  }

  /** Events after a position, in the total order. */
  public EventPage after(long position, int eventsMax, EventFilter filter) {
    throw new UnsupportedOperationException("next commit");
  }

  /**
   * All events of a command.
   *
   * @param first position of its first event
   */
  public List<RecordedEvent> eventsOf(UUID commandId, long first) {
    throw new UnsupportedOperationException("next commit");
  }

  /** What a command ended in; empty if it has no outcome that is visible by now. */
  public Optional<StoredOutcome> outcome(UUID commandId) {
    throw new UnsupportedOperationException("next commit");
  }

  /** The command that wrote the event at a position; empty if there is none. */
  public Optional<UUID> commandAt(long position) {
    throw new UnsupportedOperationException("next commit");
  }
}
