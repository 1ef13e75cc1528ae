package io.evento.bundle.consumer;

import io.evento.bundle.dispatch.ProjectorType;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.RecordedEvent;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Feeds a projector on the calling thread and without a cluster, by the code that feeds it in one:
 * what test kits are made of. It has all slots of the projector, under a checkpoint of its own.
 */
public final class ProjectorRunner {
  private static final int SLOTS = 128;

  private final EventHandling eventHandling;
  private final Enable segment;

  /**
   * @param consumer that the checkpoint is kept for
   * @param epoch that the positions belong to; another one than before starts anew
   * @param database where a transactional projector works, or null
   */
  public ProjectorRunner(
      String consumer,
      UUID epoch,
      ProjectorType projector,
      PayloadMapper mapper,
      @Nullable Database database) {
    // Nobody subscribes here: what handlers emit is compared with nothing.
    var bufferedUpdates = new BufferedUpdates(mapper, new WatchedQueries());
    var caller = new EventCaller(projector, mapper, bufferedUpdates);
    this.eventHandling =
        new EventHandlingWithUpdates(
            projector.transactional() && database != null
                ? new TransactionalEventHandling(caller, database)
                : new UntransactedEventHandling(caller),
            bufferedUpdates);
    this.segment = new Enable(consumer, 0, 0, SLOTS - 1, 1, epoch, 0);
  }

  /**
   * Takes the checkpoint over.
   *
   * @throws SQLException if the database does not answer, or somebody else has the checkpoint
   */
  public void claim() throws SQLException {
    if (eventHandling.claim(segment).isEmpty()) {
      throw new SQLException("the checkpoint of " + segment.consumer() + " is somebody else's");
    }
  }

  /**
   * Handles events after a position as one batch.
   *
   * @param events in order, not empty
   * @throws Throwable what the handler or the database threw; of a transactional projector nothing
   *     was changed then
   */
  public void deliver(long from, List<RecordedEvent> events) throws Throwable {
    var to = events.get(events.size() - 1).position();
    var progress = eventHandling.apply(segment, segment.epoch(), from, to, events);
    if (progress.cause() != null) {
      throw progress.cause();
    }
    if (progress.kind() == EventHandling.Progress.Kind.FENCED) {
      throw new SQLException(segment.consumer() + " does not stand at " + from);
    }
  }
}
