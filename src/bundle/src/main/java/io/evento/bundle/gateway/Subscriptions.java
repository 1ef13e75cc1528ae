package io.evento.bundle.gateway;

import io.evento.bundle.session.Links;
import io.evento.bundle.session.Session;
import io.evento.bundle.thread.BoundedExecutor;
import io.evento.bundle.thread.Threads;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.LiveMessage.Ended;
import io.evento.protocol.LiveMessage.Update;
import io.evento.protocol.LiveMessage.View;
import io.evento.protocol.ReplyMessage.Cancel;
import io.evento.protocol.ReplyMessage.Fault;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;

/**
 * The subscription queries of a bundle, by the id under which each is on a session. When that
 * session is lost, or its node leaves, the query is asked anew on another one: its answer replaces
 * all that was told. Thread-safe.
 */
public final class Subscriptions {
  private static final int OPEN_MAX = 10_000;
  private static final Duration TICK = Duration.ofMillis(50);

  /** Listeners may take their time, and hold up nobody but each other. */
  private final BoundedExecutor listeners;

  private final Supplier<Links> links;
  private final Map<UUID, OpenSubscription<?, ?>> byId = new ConcurrentHashMap<>();
  private final WorkClock clock;
  private volatile boolean closed;

  /**
   * @param links asked at each try, as they come to be after this
   * @param threads that listeners run on
   */
  public Subscriptions(Supplier<Links> links, ScheduledExecutorService clock, Threads threads) {
    this.links = links;
    this.listeners = new BoundedExecutor("evento-listener", 16, OPEN_MAX, threads);
    this.clock = new WorkClock(clock, TICK, () -> !byId.isEmpty(), this::tick);
  }

  void open(OpenSubscription<?, ?> subscription) {
    if (closed || byId.size() >= OPEN_MAX) {
      subscription.end(
          closed
              ? new EventoException(ErrorCode.UNAVAILABLE, "the bundle is closed")
              : new EventoException(
                  ErrorCode.OVERLOADED, "this bundle has " + OPEN_MAX + " subscriptions already"));
      return;
    }
    attempt(subscription);
  }

  private void attempt(OpenSubscription<?, ?> subscription) {
    var session = links.get().choose(null, subscription.avoided());
    if (session == null || closed) {
      subscription.tryLater();
      byId.put(subscription.id(), subscription);
      clock.wake();
      return;
    }
    byId.remove(subscription.id());
    // Under a new id: what the node before may still say is not meant for this attempt.
    if (!subscription.enter(session)) {
      return;
    }
    var id = subscription.id();
    byId.put(id, subscription);
    clock.wake();
    if (!session.tell(subscription.message())) {
      subscription.leave(session);
      subscription.tryLater();
    }
    if (!subscription.isOpen()) {
      // Closed meanwhile: it may have cancelled before there was anything to cancel.
      session.answer(new Cancel(id));
    }
  }

  /** An answer came. */
  public void answered(Session from, View view) {
    var subscription = byId.get(view.id());
    if (subscription != null) {
      subscription.answered(from, view);
    }
  }

  /** An update came. */
  public void updated(Session from, Update update) {
    for (var id : update.ids()) {
      var subscription = byId.get(id);
      if (subscription != null) {
        subscription.updated(from, update);
      }
    }
  }

  /** A node ends a subscription. */
  public void ended(Session from, Ended ended) {
    var subscription = byId.get(ended.id());
    if (subscription != null && subscription.leave(from)) {
      subscription.avoid(from.node());
      subscription.tryLater();
    }
  }

  /**
   * A refusal came.
   *
   * @return false if it is of no subscription here
   */
  public boolean refused(Session from, Fault fault) {
    var id = fault.id();
    var subscription = id == null ? null : byId.get(id);
    if (subscription == null) {
      return false;
    }
    if (subscription.leave(from)) {
      if (fault.code().retry() == ErrorCode.Retry.NEVER) {
        forget(subscription);
        subscription.end(fault.toException(null));
      } else {
        subscription.avoid(from.node());
        subscription.tryLater();
      }
    }
    return true;
  }

  /** What is on this session is told nothing more there. */
  public void lost(Session session) {
    for (var subscription : byId.values()) {
      if (subscription.leave(session)) {
        subscription.avoid(session.node());
        attempt(subscription);
      }
    }
  }

  /** Runs what calls a listener; false if too many wait. */
  boolean submit(Runnable call) {
    return listeners.submit(call);
  }

  void forget(OpenSubscription<?, ?> subscription) {
    byId.remove(subscription.id(), subscription);
  }

  private void tick() {
    var now = System.nanoTime();
    for (var subscription : List.copyOf(byId.values())) {
      if (!subscription.isOpen()) {
        forget(subscription);
      } else if (subscription.isDue(now)) {
        attempt(subscription);
      }
      subscription.nudge();
    }
  }

  /** Ends all of them, without a word: it is ours to know. */
  public void close() {
    closed = true;
    List.copyOf(byId.values()).forEach(OpenSubscription::close);
    listeners.close();
  }
}
