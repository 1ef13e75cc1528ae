package io.evento.bundle.gateway;

import io.evento.bundle.session.Links;
import io.evento.bundle.session.Session;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.ReplyMessage.Fault;
import io.evento.protocol.ReplyMessage.Result;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;

/**
 * Requests under way, by id. Each is on at most one session at a time; when that session is lost,
 * or the answer says that the cause passes, it is sent again under the same id, until its deadline.
 * Thread-safe.
 *
 * <p>Why this is safe: the id settles which outcome counts, wherever and however often the request
 * arrives. Why it ends: every request has a deadline, looked at by one timer.
 */
public final class Requests {
  private static final int UNDER_WAY_MAX = 10_000;
  private static final Duration TICK = Duration.ofMillis(20);

  private final Supplier<Links> links;
  private final Map<UUID, Request> underWay = new ConcurrentHashMap<>();
  private final WorkClock clock;
  private volatile boolean closed;

  /**
   * @param links asked at each try, as they come to be after this
   */
  public Requests(Supplier<Links> links, ScheduledExecutorService clock) {
    this.links = links;
    this.clock = new WorkClock(clock, TICK, () -> !underWay.isEmpty(), this::tick);
  }

  /** Sends; the result fails with an {@link EventoException} only. */
  CompletableFuture<Result> send(Request request) {
    if (closed) {
      request.fail(new EventoException(ErrorCode.UNAVAILABLE, "the bundle is closed"));
    } else if (underWay.size() >= UNDER_WAY_MAX) {
      request.fail(
          new EventoException(
              ErrorCode.OVERLOADED, UNDER_WAY_MAX + " requests of this bundle are under way"));
    } else {
      var other = underWay.putIfAbsent(request.id(), request);
      if (other != null) {
        return other.sameAs(request)
            ? other.result()
            : CompletableFuture.failedFuture(
                new EventoException(
                    ErrorCode.ID_REUSED, "this id is under way for another command"));
      }
      clock.wake();
      attempt(request);
    }
    return request.result();
  }

  /** How many wait for their answer. */
  public int count() {
    return underWay.size();
  }

  /** An answer came. */
  public void answered(Session from, Result result) {
    var request = underWay.get(result.id());
    if (request != null) {
      // Whichever session it came over: the outcome of an id is one.
      finish(request);
      request.succeed(result);
    }
  }

  /** A refusal came. */
  public void refused(Session from, Fault fault) {
    var request = fault.id() == null ? null : underWay.get(fault.id());
    if (request == null || !request.leave(from)) {
      return;
    }
    from.answered();
    var told = fault.toException(request.commandId());
    if (fault.code().retry() == ErrorCode.Retry.LATER) {
      request.avoid(from.node());
      request.tryLater(told, isFree(request, from) ? 0 : fault.retryAfter());
    } else {
      finish(request);
      request.fail(told);
    }
  }

  /** Whether another node, which has not been asked yet, can be: what is full is one node's. */
  private boolean isFree(Request request, Session refused) {
    if (!request.wasTriedOnce()) {
      return false;
    }
    var next = links.get().choose(request.key(), request.avoided());
    return next != null && !next.node().equals(refused.node());
  }

  /** What waits on this session gets no answer there. */
  public void lost(Session session) {
    for (var request : underWay.values()) {
      if (request.leave(session)) {
        request.avoid(session.node());
        request.tryElsewhere();
        attempt(request);
      }
    }
  }

  /** There is one more session: what found none need not wait. */
  public void wake() {
    for (var request : underWay.values()) {
      if (request.isHomeless()) {
        attempt(request);
      }
    }
  }

  private void tick() {
    var now = System.nanoTime();
    for (var request : underWay.values()) {
      if (request.isExpired(now)) {
        expire(request);
      } else if (request.isDue(now)) {
        attempt(request);
      }
    }
  }

  private void attempt(Request request) {
    var millis = request.millisLeft();
    if (millis <= 0) {
      expire(request);
      return;
    }
    var session = links.get().choose(request.key(), request.avoided());
    if (session == null) {
      request.findNoHome();
    } else if (request.payloadBytes() > session.payloadMax()) {
      finish(request);
      request.fail(
          new EventoException(
              ErrorCode.PAYLOAD_TOO_LARGE,
              "the payload has "
                  + request.payloadBytes()
                  + " bytes, the limit is "
                  + session.payloadMax()));
    } else if (request.enter(session) && !session.request(request.message(millis))) {
      // Gone or full since it was chosen.
      if (request.leave(session)) {
        request.tryLater(
            new EventoException(ErrorCode.OVERLOADED, "the session takes nothing now"), 0);
      }
    }
  }

  private void expire(Request request) {
    request.expire();
    finish(request);
  }

  private void finish(Request request) {
    underWay.remove(request.id(), request);
    var session = request.leave();
    if (session != null) {
      session.answered();
    }
  }

  /** Fails all that is under way; nothing can be sent any more. */
  public void close() {
    closed = true;
    for (var request : underWay.values()) {
      finish(request);
      request.fail(
          new EventoException(
              ErrorCode.UNAVAILABLE,
              "the bundle was closed before the outcome was known; a repeat under the same id"
                  + " settles it"));
    }
  }
}
