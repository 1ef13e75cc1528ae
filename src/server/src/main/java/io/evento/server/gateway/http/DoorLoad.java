package io.evento.server.gateway.http;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Comparator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What waits at the HTTP door for its peer: bodies that are still coming and answers that are not
 * taken yet. Their bytes, their time and, for bodies, their number are bounded here.
 */
@NodeScoped
public class DoorLoad {
  private static final Logger LOG = System.getLogger(DoorLoad.class.getName());
  private static final long TICK_MILLIS = 250;

  /** So much of the heap may be bodies, and so much answers. */
  private static final int SHARE = 8;

  private static final long BYTES_MIN = 16L << 20;

  /** So many bodies may be slow at once: each of them holds a thread of the container. */
  static final int SLOW_MAX = 24;

  private static final long SLOW_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  /** Something that waits for a peer. */
  interface Waiting {
    /**
     * Ends the wait if it was long enough; short and without blocking.
     *
     * @param now by {@link System#nanoTime}
     */
    void check(long now);
  }

  private final Settings settings;
  private final Counter cut;
  private final Set<Waiting> waiting = ConcurrentHashMap.newKeySet();
  private final Set<BodyRead> reads = ConcurrentHashMap.newKeySet();
  private final AtomicLong bodyBytes = new AtomicLong();
  private final AtomicLong answerBytes = new AtomicLong();
  private final long bytesMax = Math.max(BYTES_MIN, Runtime.getRuntime().maxMemory() / SHARE);

  @Inject
  public DoorLoad(Settings settings, Threads threads, Metrics metrics) {
    this.settings = settings;
    cut =
        metrics.counter(
            "evento_http_cut", "requests ended because their peer sent or read too slowly");
    metrics.gauge(
        "evento_http_waiting",
        "bodies that are coming and answers that are being taken",
        () -> waiting.size() + reads.size());
    metrics.gauge("evento_http_body_bytes", "of bodies that are coming", bodyBytes::get);
    metrics.gauge("evento_http_answer_bytes", "of answers not taken yet", answerBytes::get);
    threads
        .timer()
        .scheduleWithFixedDelay(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
  }

  void add(Waiting one) {
    waiting.add(one);
  }

  void remove(Waiting one) {
    waiting.remove(one);
  }

  void begin(BodyRead read) {
    reads.add(read);
  }

  void end(BodyRead read) {
    reads.remove(read);
  }

  /** One was ended for its slowness. */
  void countCut() {
    cut.increment();
  }

  /** How long a body may take, in nanoseconds. */
  long bodyNanosMax() {
    return TimeUnit.SECONDS.toNanos(settings.get(Setting.HTTP_BODY_SECONDS));
  }

  /** How long the peer of an answer may take nothing of it, in nanoseconds. */
  long stallNanosMax() {
    return TimeUnit.SECONDS.toNanos(settings.get(Setting.HTTP_STALL_SECONDS));
  }

  /** Largest body of a path below {@code /api}, in bytes. */
  public long bodyBytesMax(String path) {
    return path.endsWith("/api/events") || path.endsWith("/api/events/")
        ? AppendResource.BODY_BYTES_MAX
        : settings.get(Setting.PAYLOAD_BYTES_MAX);
  }

  /**
   * @return false if there is no room; nothing is taken then
   */
  boolean takeForBody(long bytes) {
    return take(bodyBytes, bytes);
  }

  public void giveBackOfBody(long bytes) {
    bodyBytes.addAndGet(-bytes);
  }

  /**
   * @return false if there is no room; nothing is taken then
   */
  boolean takeForAnswer(long bytes) {
    return take(answerBytes, bytes);
  }

  /** For an answer that must be given, full or not. */
  void takeForAnswerAnyhow(long bytes) {
    answerBytes.addAndGet(bytes);
  }

  void giveBackOfAnswer(long bytes) {
    answerBytes.addAndGet(-bytes);
  }

  private boolean take(AtomicLong from, long bytes) {
    if (from.addAndGet(bytes) <= bytesMax) {
      return true;
    }
    from.addAndGet(-bytes);
    return false;
  }

  private void tick() {
    var now = System.nanoTime();
    endSlowReads(now);
    for (var one : waiting) {
      try {
        one.check(now);
      } catch (RuntimeException failure) {
        // One that fails must not keep the others waiting for ever.
        waiting.remove(one);
        LOG.log(Level.ERROR, "a wait at the door was not ended", failure);
      }
    }
  }

  /** The oldest go first: they had the most time. */
  private void endSlowReads(long now) {
    var slow = reads.stream().filter(read -> read.age(now) >= SLOW_NANOS).toList();
    slow.forEach(read -> read.check(now));
    if (slow.size() > SLOW_MAX) {
      slow.stream()
          .sorted(Comparator.comparingLong((BodyRead read) -> read.age(now)).reversed())
          .limit(slow.size() - SLOW_MAX)
          .forEach(
              read ->
                  read.giveUp(
                      new EventoException(
                          ErrorCode.OVERLOADED, "too many bodies are coming slowly")));
    }
  }
}
