package io.evento.server.eventstore.follow;

import io.evento.server.eventstore.Epochs;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.Follower.NewEpoch;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * Who is told that the store is not what it was; operators read it in the log. Listeners run on the
 * thread that found it. Thread-safe.
 */
final class StoreListeners {
  private static final Logger LOG = System.getLogger(StoreListeners.class.getName());

  private final List<Consumer<NewEpoch>> ofNewEpoch = new CopyOnWriteArrayList<>();
  private final List<Runnable> ofRegress = new CopyOnWriteArrayList<>();

  void onNewEpoch(Consumer<NewEpoch> listener) {
    ofNewEpoch.add(listener);
  }

  void onRegress(Runnable listener) {
    ofRegress.add(listener);
  }

  void newEpoch(NewEpoch change) {
    LOG.log(
        Level.WARNING,
        () -> "store has a new epoch, rewinding from=" + change.from() + " to=" + change.to());
    ofNewEpoch.forEach(listener -> listener.accept(change));
  }

  /** Something else answers as the store. */
  void anotherStore(Epochs read) {
    LOG.log(
        Level.WARNING,
        () -> "another store was read, nobody rewinds to it epoch=" + read.present());
    ofRegress.forEach(Runnable::run);
  }

  /** A peer told of positions that the store never had. */
  void falsePush(StorePosition told, StorePosition head) {
    LOG.log(
        Level.WARNING,
        () ->
            "a peer told of events that the store does not have told="
                + told.position()
                + " head="
                + head.position()
                + " epoch="
                + head.epoch());
  }

  /** The store has less than was seen in the same epoch. */
  void lostEvents(StorePosition heard, StorePosition head) {
    LOG.log(
        Level.ERROR,
        () ->
            "store has lost events seen="
                + heard.position()
                + " head="
                + head.position()
                + " epoch="
                + head.epoch());
    ofRegress.forEach(Runnable::run);
  }
}
