package io.evento.bundle.gateway;

import io.evento.bundle.session.Session;
import io.evento.bundle.session.Utf8;
import io.evento.protocol.Backoff;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.ReplyMessage.Result;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** A command or question on its way to an answer: where it is, and when it is tried again. */
final class Request {
  private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(20), Duration.ofSeconds(1));

  private final UUID id;
  private final boolean isCommand;
  private final String type;
  private final Json payload;
  private final int payloadBytes;
  private final @Nullable String key;
  private final long deadlineNanos;
  private final IntFunction<Message> message;
  private final CompletableFuture<Result> result = new CompletableFuture<>();

  private @Nullable Session session;
  private @Nullable String avoided;
  private @Nullable EventoException lastTold;
  private boolean fateUnknown;
  private boolean homeless;
  private int tries;
  private long notBeforeNanos;

  /**
   * @param key whose owner should get it, or null
   * @param message made anew for each try, from the milliseconds left
   */
  Request(
      UUID id,
      boolean isCommand,
      String type,
      Json payload,
      @Nullable String key,
      Duration deadline,
      IntFunction<Message> message) {
    this.id = id;
    this.isCommand = isCommand;
    this.type = type;
    this.payload = payload;
    this.payloadBytes = Utf8.length(payload.text());
    this.key = key;
    this.deadlineNanos = System.nanoTime() + deadline.toNanos();
    this.message = message;
  }

  UUID id() {
    return id;
  }

  @Nullable UUID commandId() {
    return isCommand ? id : null;
  }

  boolean sameAs(Request other) {
    return isCommand == other.isCommand && type.equals(other.type) && payload.equals(other.payload);
  }

  @Nullable String key() {
    return key;
  }

  int payloadBytes() {
    return payloadBytes;
  }

  Message message(int millisLeft) {
    return message.apply(millisLeft);
  }

  CompletableFuture<Result> result() {
    return result;
  }

  synchronized @Nullable String avoided() {
    return avoided;
  }

  int millisLeft() {
    var nanos = deadlineNanos - System.nanoTime();
    return (int) Math.min(Integer.MAX_VALUE, TimeUnit.NANOSECONDS.toMillis(nanos));
  }

  boolean isExpired(long now) {
    return now - deadlineNanos >= 0;
  }

  /** False if it is on a session already, or done. */
  synchronized boolean enter(Session chosen) {
    if (session != null || result.isDone()) {
      return false;
    }
    session = chosen;
    homeless = false;
    tries++;
    return true;
  }

  /** Whether it was on this session; now it is on none. */
  synchronized boolean leave(Session left) {
    if (session != left) {
      return false;
    }
    session = null;
    return true;
  }

  /** The session that it was on, if any; now it is on none. */
  synchronized @Nullable Session leave() {
    var left = session;
    session = null;
    return left;
  }

  synchronized boolean isDue(long now) {
    return session == null && now - notBeforeNanos >= 0;
  }

  synchronized boolean isHomeless() {
    return homeless && session == null;
  }

  /** There is no session now; the timer asks again, or whoever opens one. */
  synchronized void findNoHome() {
    homeless = true;
    notBeforeNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(100);
  }

  /** Its session died: at once again, on another one. What became of it there is not known. */
  synchronized void tryElsewhere() {
    fateUnknown = true;
    notBeforeNanos = System.nanoTime();
  }

  synchronized boolean wasTriedOnce() {
    return tries == 1;
  }

  /**
   * Refused for a cause that passes.
   *
   * @param retryAfterMillis what was estimated; half of the time left at most, as it may be wrong
   */
  synchronized void tryLater(EventoException told, int retryAfterMillis) {
    lastTold = told;
    fateUnknown |= told.code() == ErrorCode.DEADLINE_EXCEEDED;
    var asked = Math.min(retryAfterMillis, millisLeft() / 2);
    var wait = Math.max(BACKOFF.halfByChance(tries).toMillis(), asked);
    notBeforeNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(wait);
  }

  /** Avoids the node that just refused or died, as long as there is another. */
  synchronized void avoid(String node) {
    avoided = node;
  }

  void succeed(Result answer) {
    result.complete(answer);
  }

  void fail(EventoException told) {
    result.completeExceptionally(isCommand ? told.ofCommand(id) : told);
  }

  /** The deadline passed. Says what is known: perhaps that nothing was done. */
  void expire() {
    EventoException told;
    synchronized (this) {
      var known = lastTold;
      told =
          known != null && !fateUnknown && session == null
              ? known
              : new EventoException(
                  ErrorCode.DEADLINE_EXCEEDED,
                  tries == 0
                      ? "no node was connected in time; nothing was sent"
                      : "no outcome known in time after " + tries + " tries");
    }
    fail(told);
  }
}
