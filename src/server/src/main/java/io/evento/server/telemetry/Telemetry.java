package io.evento.server.telemetry;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * How often and how long, by handler and type, in memory. What is on a hot path adds to it without
 * a lock, a wait or an object that lives on; one thread takes out what came together.
 *
 * <p>Handlers and types are kept apart up to a number; what comes beyond is counted as {@code
 * other}. Who was not heard of for ten minutes makes room.
 */
public final class Telemetry {
  /** Is told what came together of one handler and type since the last time. */
  interface Sink {
    /**
     * @param times in microseconds, by the ordinal of their phase; null where there are none. Valid
     *     during the call only
     */
    void take(SeriesKey key, long count, Map<String, Long> errors, Histogram[] times);
  }

  /**
   * Of what is written for handlers and types one by one: within 4 % at an eighth of the memory.
   */
  private static final int DIGITS = 1;

  /** Of all together: within 0.8 %. */
  private static final int DIGITS_OF_WHOLE = 2;

  private static final int IDLE_TAKES = 120;

  private final Map<SeriesKey, Series> series = new ConcurrentHashMap<>();
  private final Map<Kind, Series> wholes = new EnumMap<>(Kind.class);
  private final Map<Kind, Series> others = new EnumMap<>(Kind.class);
  private final Map<Kind, Function<String, @Nullable String>> handlers = new ConcurrentHashMap<>();
  private final Map<Kind, Map<String, SeriesKey>> keys = new EnumMap<>(Kind.class);
  // Removed already, and still held by whoever was about to add.
  private List<Series> leaving = new ArrayList<>();
  private final Effects effects = new Effects();
  private volatile boolean isOn = true;
  private volatile int limit = 200;

  public Telemetry() {
    for (var kind : Kind.values()) {
      wholes.put(kind, new Series(SeriesKey.whole(kind), DIGITS_OF_WHOLE));
      others.put(kind, new Series(SeriesKey.other(kind), DIGITS));
      keys.put(kind, new ConcurrentHashMap<>());
    }
  }

  /**
   * @param isOn whether anything is recorded
   * @param keysMax so many handlers and types are kept apart
   */
  void configure(boolean isOn, int keysMax) {
    this.isOn = isOn;
    this.limit = keysMax;
  }

  /**
   * How the handler of a type is found; asked once for each type that has traffic.
   *
   * @param handlerOfType answers null for a type that nobody declared: names that callers make up
   *     take no room
   */
  public void handlersBy(Kind kind, Function<String, @Nullable String> handlerOfType) {
    handlers.put(kind, handlerOfType);
  }

  /** Handlers and types that are kept apart now. */
  int size() {
    return series.size();
  }

  /** Something ended well. */
  public void done(Kind kind, String type, long nanos) {
    if (isOn) {
      ended(of(kind, type), nanos);
      ended(whole(kind), nanos);
    }
  }

  private static void ended(Series one, long nanos) {
    one.count(1);
    one.time(Phase.TOTAL, nanos);
  }

  /**
   * Something ended in a failure.
   *
   * @param code one of the server's own, never what a bundle made up
   */
  public void failed(Kind kind, String type, String code, long nanos) {
    if (isOn) {
      ended(of(kind, type), nanos);
      of(kind, type).error(code);
      ended(whole(kind), nanos);
      whole(kind).error(code);
    }
  }

  /** A part took so long. */
  public void took(Kind kind, String type, Phase phase, long nanos) {
    if (isOn) {
      of(kind, type).time(phase, nanos);
      whole(kind).time(phase, nanos);
    }
  }

  /** A part took so long, of what has many types at once. */
  public void tookOfAll(Kind kind, Phase phase, long nanos) {
    if (isOn) {
      whole(kind).time(phase, nanos);
    }
  }

  /** Some were counted that nobody timed one by one. */
  public void counted(Kind kind, String type, long more) {
    if (isOn) {
      of(kind, type).count(more);
      whole(kind).count(more);
    }
  }

  /** A command had an event stored. */
  public void emitted(String command, String event) {
    if (isOn) {
      effects.emitted(command, event);
    }
  }

  void sentByConsumer(String consumer, String upon, String command) {
    if (isOn) {
      effects.sent(consumer, upon, command);
    }
  }

  /** What led to what. */
  Effects effects() {
    return effects;
  }

  /** What a consumer does is recorded by this. */
  public ConsumerTimes consumer(String consumer) {
    return new ConsumerTimes(this, consumer);
  }

  void consumed(String consumer, String type, long nanos) {
    if (isOn) {
      var one = of(new SeriesKey(Kind.CONSUMER, consumer, type));
      one.count(1);
      one.time(Phase.HANDLER, nanos);
      whole(Kind.CONSUMER).count(1);
      whole(Kind.CONSUMER).time(Phase.HANDLER, nanos);
    }
  }

  void tookOfConsumer(String consumer, String type, Phase phase, long nanos) {
    if (isOn) {
      of(new SeriesKey(Kind.CONSUMER, consumer, type)).time(phase, nanos);
      whole(Kind.CONSUMER).time(phase, nanos);
    }
  }

  void failedOfConsumer(String consumer, String type, String code) {
    if (isOn) {
      of(new SeriesKey(Kind.CONSUMER, consumer, type)).error(code);
      whole(Kind.CONSUMER).error(code);
    }
  }

  private Series whole(Kind kind) {
    return Objects.requireNonNull(wholes.get(kind));
  }

  private Series other(Kind kind) {
    return Objects.requireNonNull(others.get(kind));
  }

  private Map<String, SeriesKey> keys(Kind kind) {
    return Objects.requireNonNull(keys.get(kind));
  }

  private Series of(Kind kind, String type) {
    var key = keys(kind).get(type);
    return key == null ? first(kind, type) : of(key);
  }

  private Series first(Kind kind, String type) {
    var handler = handlers.getOrDefault(kind, any -> "").apply(type);
    if (handler == null || series.size() >= limit) {
      return other(kind);
    }
    var key = new SeriesKey(kind, handler, type);
    keys(kind).put(type, key);
    return of(key);
  }

  private Series of(SeriesKey key) {
    var known = series.get(key);
    if (known != null) {
      return known;
    }
    return series.size() >= limit
        ? other(key.kind())
        : series.computeIfAbsent(key, absent -> new Series(absent, DIGITS));
  }

  /** Takes out what all of a kind together came to. By the one thread that takes. */
  void takeWholes(Sink sink) {
    wholes.values().forEach(whole -> take(whole, sink));
  }

  /** Takes out what came together one by one. By the one thread that takes. */
  void takeEach(Sink sink) {
    // Somebody may have held them when they were removed: looked at once more.
    leaving.forEach(one -> take(one, sink));
    leaving = new ArrayList<>();
    others.values().forEach(one -> take(one, sink));
    for (var one : series.values()) {
      if (take(one, sink) > IDLE_TAKES) {
        series.remove(one.key(), one);
        keys(one.key().kind()).remove(one.key().type(), one.key());
        leaving.add(one);
      }
    }
  }

  private static int take(Series one, Sink sink) {
    return one.take((count, errors, times) -> sink.take(one.key(), count, errors, times));
  }

  /** From one {@link System#nanoTime} to now. */
  public static long since(long nanoTime) {
    return System.nanoTime() - nanoTime;
  }
}
