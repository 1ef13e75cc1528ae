package io.evento.bundle.gateway;

import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.session.Session;
import io.evento.protocol.Backoff;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.LiveMessage.More;
import io.evento.protocol.LiveMessage.Subscribe;
import io.evento.protocol.LiveMessage.Update;
import io.evento.protocol.LiveMessage.View;
import io.evento.protocol.Message;
import io.evento.protocol.QueryMessage.Query;
import io.evento.protocol.ReplyMessage.Cancel;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One subscription: where it is, and what its listener has yet to hear.
 *
 * <p>The listener is called by one thread at a time. What waits for it is bounded by the credit
 * that was given: more is granted only for what it has heard. What a session told belongs to the id
 * under which the query is there; when that ends, what waits of it is forgotten, as a fresh answer
 * follows.
 */
final class OpenSubscription<V, U> implements QuerySubscription {
  private static final Logger LOG = System.getLogger(OpenSubscription.class.getName());

  /** Answers and updates that may be on their way to us. */
  static final int WINDOW = 256;

  private static final int GRANT = WINDOW / 4;
  private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(5));

  private final Function<UUID, Query> query;
  private final Class<V> view;
  private final Class<U> update;
  private final QueryListener<V, U> listener;
  private final PayloadMapper mapper;
  private final Subscriptions all;

  private final ArrayDeque<Message> waiting = new ArrayDeque<>();
  private UUID id = UUID.randomUUID();
  private @Nullable Session session;
  private @Nullable String avoided;
  private @Nullable EventoException ended;
  private boolean isEnding;
  private boolean isClosed;
  private boolean isTelling;
  private int heard;
  private int failures;
  private long notBefore;

  /**
   * @param query under the id given to it
   */
  OpenSubscription(
      Function<UUID, Query> query,
      Class<V> view,
      Class<U> update,
      QueryListener<V, U> listener,
      PayloadMapper mapper,
      Subscriptions all) {
    this.query = query;
    this.view = view;
    this.update = update;
    this.listener = listener;
    this.mapper = mapper;
    this.all = all;
  }

  synchronized UUID id() {
    return id;
  }

  synchronized @Nullable String avoided() {
    return avoided;
  }

  /**
   * @return false if it is closed, and goes nowhere any more
   */
  synchronized boolean enter(Session chosen) {
    if (isClosed) {
      return false;
    }
    id = UUID.randomUUID();
    session = chosen;
    heard = 0;
    waiting.clear();
    return true;
  }

  synchronized Subscribe message() {
    return new Subscribe(query.apply(id), WINDOW);
  }

  synchronized boolean leave(Session left) {
    if (session != left) {
      return false;
    }
    session = null;
    return true;
  }

  synchronized void avoid(String node) {
    avoided = node;
  }

  synchronized void tryLater() {
    notBefore = System.nanoTime() + BACKOFF.halfByChance(failures++).toNanos();
  }

  synchronized boolean isDue(long now) {
    return session == null && !isClosed && now - notBefore >= 0;
  }

  void answered(Session from, View told) {
    synchronized (this) {
      if (session != from || !told.id().equals(id)) {
        return;
      }
      // It replaces what waits before it.
      heard += waiting.size();
      waiting.clear();
      waiting.add(told);
      failures = 0;
    }
    tell();
  }

  void updated(Session from, Update told) {
    synchronized (this) {
      if (session != from) {
        return;
      }
      waiting.add(told);
    }
    tell();
  }

  /** The query cannot be answered. */
  void end(EventoException why) {
    synchronized (this) {
      session = null;
      ended = why;
      isEnding = true;
    }
    tell();
  }

  /** Tries again what found no thread. */
  void nudge() {
    boolean isWaiting;
    synchronized (this) {
      isWaiting = !waiting.isEmpty();
    }
    if (isWaiting) {
      tell();
    }
  }

  private void tell() {
    synchronized (this) {
      if (isTelling || isClosed) {
        return;
      }
      isTelling = true;
    }
    if (!all.submit(this::telling)) {
      // Too many listeners are busy; what comes next tries again, and the clock does.
      synchronized (this) {
        isTelling = false;
      }
    }
  }

  private void telling() {
    for (var next = next(); next != null; next = next()) {
      try {
        if (next instanceof View answer) {
          listener.answered(read(view, answer.payload()));
        } else if (next instanceof Update changed) {
          var payload = read(update, changed.payload());
          if (payload != null) {
            listener.updated(payload);
          }
        }
      } catch (RuntimeException failure) {
        LOG.log(Level.ERROR, "listener of a query failed", failure);
      }
      grant();
    }
    EventoException why;
    synchronized (this) {
      why = isEnding && !isClosed ? ended : null;
      isClosed |= isEnding;
    }
    if (why != null) {
      listener.ended(why);
    }
  }

  private <T> @Nullable T read(Class<T> type, @Nullable Json json) {
    return json == null || json.equals(Json.NULL) ? null : mapper.read(type, json);
  }

  private synchronized @Nullable Message next() {
    var next = isClosed ? null : waiting.poll();
    isTelling = next != null;
    return next;
  }

  private void grant() {
    Session to;
    More more;
    synchronized (this) {
      heard++;
      if (heard < GRANT || session == null) {
        return;
      }
      to = session;
      more = new More(id, heard);
      heard = 0;
    }
    to.answer(more);
  }

  @Override
  public synchronized boolean isOpen() {
    return !isClosed && !isEnding;
  }

  @Override
  public void close() {
    Session left;
    UUID over;
    synchronized (this) {
      if (isClosed) {
        return;
      }
      isClosed = true;
      left = session;
      session = null;
      over = id;
      waiting.clear();
    }
    all.forget(this);
    if (left != null) {
      left.answer(new Cancel(over));
    }
  }
}
