package io.evento.server.gateway.websocket;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Json;
import io.evento.protocol.LiveMessage;
import io.evento.protocol.ReplyMessage;
import io.evento.server.consumer.live.LiveQueries;
import io.evento.server.consumer.live.LiveQuery;
import io.evento.server.consumer.live.SubscriptionSink;
import io.evento.server.security.AuditLog;
import io.evento.server.security.Caller;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The subscription queries of one session, told under credit. */
final class SessionQueries {
  private static final int QUERIES_MAX = 10_000;

  private final LiveQueries queries;
  private final AuditLog audit;
  private final Caller caller;
  private final SessionWriter writer;
  private final Map<UUID, Told> open = new ConcurrentHashMap<>();
  private volatile boolean closed;

  SessionQueries(LiveQueries queries, AuditLog audit, Caller caller, SessionWriter writer) {
    this.queries = queries;
    this.audit = audit;
    this.caller = caller;
    this.writer = writer;
  }

  void subscribe(LiveMessage.Subscribe asked) {
    var id = asked.query().id();
    if (open.size() >= QUERIES_MAX) {
      throw new EventoException(
          ErrorCode.OVERLOADED, "this session has " + QUERIES_MAX + " subscriptions already");
    }
    var told = new Told(id, asked.events());
    if (open.putIfAbsent(id, told) != null) {
      throw EventoException.invalid("/query/id", "is in use on this session");
    }
    try {
      told.begin(queries.subscribe(caller, asked.query(), told));
    } catch (EventoException refused) {
      open.remove(id);
      throw refused;
    }
    if (closed) {
      close();
    }
  }

  void more(LiveMessage.More more) {
    var told = open.get(more.id());
    if (told != null) {
      told.credit.addAndGet(more.events());
      told.ring();
    }
  }

  void cancel(UUID id) {
    var told = open.remove(id);
    if (told != null) {
      told.close();
    }
  }

  void close() {
    closed = true;
    List.copyOf(open.keySet()).forEach(this::cancel);
  }

  private final class Told implements SubscriptionSink {
    private final UUID id;
    private final AtomicInteger credit;
    private volatile @Nullable LiveQuery live;
    private boolean over;

    Told(UUID id, int credit) {
      this.id = id;
      this.credit = new AtomicInteger(credit);
    }

    void ring() {
      var query = live;
      if (query != null) {
        query.ring();
      }
    }

    /** One that was closed meanwhile closes what comes of it. */
    synchronized void begin(LiveQuery begun) {
      live = begun;
      if (over) {
        begun.close();
      } else {
        begun.ring();
      }
    }

    synchronized void close() {
      over = true;
      var query = live;
      if (query != null) {
        query.close();
      }
    }

    @Override
    public int room() {
      return credit.get();
    }

    @Override
    public void answer(int attempt, Json view) {
      credit.decrementAndGet();
      // Among the updates, in their order: an answer of its own lane would overtake them.
      writer.send(new LiveMessage.View(id, attempt, view, List.of()), Lane.REQUEST);
    }

    @Override
    public void update(LiveMessage.Update update) {
      credit.decrementAndGet();
      writer.send(update.to(id), Lane.REQUEST);
    }

    @Override
    public void beat() {
      // The session itself shows that it lives.
    }

    @Override
    public void fail(EventoException told) {
      open.remove(id, this);
      audit.failed(caller, told.detail(), told);
      writer.send(ReplyMessage.Fault.of(id, told), Lane.ANSWER);
    }

    @Override
    public void end(String reason, String detail) {
      open.remove(id, this);
      writer.send(new LiveMessage.Ended(id, reason, detail, null, 0), Lane.REQUEST);
    }
  }
}
