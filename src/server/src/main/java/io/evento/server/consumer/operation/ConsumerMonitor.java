package io.evento.server.consumer.operation;

import io.evento.server.NodeScoped;
import io.evento.server.RepeatedWarning;
import io.evento.server.Threads;
import io.evento.server.consumer.delivery.LostEventTable;
import io.evento.server.consumer.delivery.LostEvents;
import io.evento.server.consumer.lease.LeasePasses;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.consumer.segment.SegmentTable;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.persistence.Database;
import io.evento.server.routing.query.ShadowVersions;
import io.evento.server.telemetry.LabelledValue;
import io.evento.server.telemetry.Metrics;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Looks at all consumers by their rows, whoever delivers them: joins segments that wait for each
 * other and looks which versions are shadows every second, and every five seconds measures how fast
 * segments get on, who is stuck, and how many dead letters there are. On a thread that may wait, so
 * that nobody's lease does.
 */
@NodeScoped
public class ConsumerMonitor {
  private static final Logger LOG = System.getLogger(ConsumerMonitor.class.getName());
  private static final int MEASURE_EVERY = 5;
  private static final int BACKLOGS_EVERY = 30;
  private static final long OLD_NANOS = TimeUnit.SECONDS.toNanos(30);

  /** Without progress for so long, with events waiting for as long, a segment is stuck. */
  static final Duration STUCK = Duration.ofSeconds(10);

  /** The weight of the newest measurement in a rate. */
  private static final double NEWEST = 0.3;

  private record Sample(long at, long checkpoint, double perSecond) {}

  private final RepeatedWarning notLooked = new RepeatedWarning(LOG);
  private final Merges merges;
  private final LeasePasses passes;
  private final SegmentTable segments;
  private final OrderReader reader;
  private final Database database;
  private final ShadowVersions shadowVersions;
  private final Metrics metrics;
  private final Threads threads;
  private final ExecutorService worker;
  private final Backlogs backlogs;
  private final Map<SegmentId, Sample> samples = new ConcurrentHashMap<>();
  private final Map<ConsumerId, Integer> stuck = new ConcurrentHashMap<>();
  private final Map<ConsumerId, Long> letters = new ConcurrentHashMap<>();
  private final Map<ConsumerId, Long> lost = new ConcurrentHashMap<>();
  private final Set<ConsumerId> gauged = ConcurrentHashMap.newKeySet();
  private volatile Set<ConsumerId> full = Set.of();
  private volatile Seen seen = new Seen(System.nanoTime(), List.of(), Set.of());
  private int turn;

  /**
   * How far a segment is behind.
   *
   * @param events that were stored after its checkpoint, be they for it or not
   * @param age of the first of them; zero if there is none
   * @param idle how long the checkpoint has not moved
   * @param isActive whether nobody paused it
   */
  public record Lag(
      String consumer,
      int version,
      int segment,
      long checkpoint,
      long events,
      Duration age,
      Duration idle,
      boolean isActive) {

    /** Whether events have waited for long and nothing moves, though nobody paused it. */
    public boolean isStuck() {
      return isActive && events > 0 && age.compareTo(STUCK) >= 0 && idle.compareTo(STUCK) >= 0;
    }
  }

  /**
   * What was seen at the last measurement.
   *
   * @param at {@code System.nanoTime()}
   * @param full consumers that are paused as their dead letters are full
   */
  private record Seen(long at, List<Lag> lags, Set<String> full) {}

  /**
   * What is known of all consumers without asking the database.
   *
   * @param full consumers that are paused as their dead letters are full, {@code accounts:1}
   */
  public record LastSeen(List<Lag> lags, Set<String> full) {}

  @Inject
  public ConsumerMonitor(
      Merges merges,
      LeasePasses passes,
      SegmentTable segments,
      OrderReader reader,
      Database database,
      ShadowVersions shadowVersions,
      Metrics metrics,
      Threads threads) {
    this.merges = merges;
    this.passes = passes;
    this.segments = segments;
    this.reader = reader;
    this.database = database;
    this.shadowVersions = shadowVersions;
    this.metrics = metrics;
    this.threads = threads;
    this.worker = threads.pool("consumer-monitor", 1, 1);
    backlogs = new Backlogs(database, metrics);
    metrics.gauges(
        "evento_consumer_lag_seconds",
        "age of the oldest event that a segment of the consumer has not done, on any node",
        this::lagSeconds);
  }

  /** Begins; once the schema is there. */
  public void start() {
    threads.timer().scheduleWithFixedDelay(this::wake, 1, 1, TimeUnit.SECONDS);
  }

  private void wake() {
    try {
      worker.execute(this::look);
    } catch (RejectedExecutionException busy) {
      LOG.log(Level.DEBUG, "the last look at the consumers takes long");
    }
  }

  private void look() {
    // Counted before: what fails comes again at its own pace, and not every second.
    var now = turn++;
    try {
      shadowVersions.are(
          database.read("look for shadows", ConsumerTable::shadows).stream()
              .map(ConsumerId::wire)
              .collect(Collectors.toSet()));
      if (merges.join()) {
        passes.wakeAll();
      }
      if (now % MEASURE_EVERY == 0) {
        measure();
      }
    } catch (RuntimeException failure) {
      notLooked.log(() -> "consumers not looked at cause=" + failure.getMessage());
    }
    if (now % BACKLOGS_EVERY == 0) {
      backlogs.look();
    }
  }

  private void measure() {
    var now = System.nanoTime();
    var lags = lags();
    var stuckNow = new HashMap<ConsumerId, Integer>();
    for (var lag : lags) {
      var consumer = new ConsumerId(lag.consumer(), lag.version());
      var id = new SegmentId(consumer, lag.segment());
      samples.merge(id, new Sample(now, lag.checkpoint(), 0), ConsumerMonitor::next);
      stuckNow.merge(consumer, lag.isStuck() ? 1 : 0, Integer::sum);
    }
    samples
        .keySet()
        .retainAll(
            lags.stream()
                .map(l -> new SegmentId(new ConsumerId(l.consumer(), l.version()), l.segment()))
                .collect(Collectors.toSet()));
    // A consumer that was retired is not stuck for ever.
    for (var known : List.of(stuck, letters, lost)) {
      known.keySet().retainAll(stuckNow.keySet());
    }
    stuckNow.forEach(this::tell);
    var counted = database.read("count dead letters", DeadLetterOperations::counts);
    stuckNow.keySet().forEach(id -> letters.put(id, counted.getOrDefault(id, 0L)));
    var losses =
        database.read("read losses", LostEventTable::all).stream()
            .collect(
                Collectors.groupingBy(
                    loss -> new ConsumerId(loss.name(), loss.version()),
                    Collectors.summingLong(LostEvents.Loss::count)));
    stuckNow.keySet().forEach(id -> lost.put(id, losses.getOrDefault(id, 0L)));
    full = database.read("look for full consumers", ConsumerTable::full);
    seen =
        new Seen(
            now, lags, full.stream().map(ConsumerId::wire).collect(Collectors.toUnmodifiableSet()));
    stuckNow.keySet().forEach(this::gauge);
  }

  private List<LabelledValue> lagSeconds() {
    return lastSeen().map(LastSeen::lags).orElse(List.of()).stream()
        .collect(
            Collectors.toMap(
                lag -> new ConsumerId(lag.consumer(), lag.version()).wire(),
                lag -> lag.age().toMillis() / 1e3,
                Math::max,
                TreeMap::new))
        .entrySet()
        .stream()
        .map(each -> LabelledValue.of("consumer", each.getKey(), each.getValue()))
        .toList();
  }

  /** As of some seconds ago; empty if it could not be measured for half a minute. */
  public Optional<LastSeen> lastSeen() {
    var last = seen;
    return System.nanoTime() - last.at > OLD_NANOS
        ? Optional.empty()
        : Optional.of(new LastSeen(last.lags, last.full));
  }

  /** How far all segments of all consumers are behind, by their rows. Asks the database. */
  public List<Lag> lags() {
    var head = reader.head().position();
    var ages = new HashMap<Long, Duration>();
    return segments.progress().stream()
        .map(
            segmentProgress -> {
              var at = segmentProgress.checkpoint().position();
              var age =
                  at >= head
                      ? Duration.ZERO
                      : ages.computeIfAbsent(at, position -> ageAfter(position, segmentProgress));
              return new Lag(
                  segmentProgress.segment().consumer().name(),
                  segmentProgress.segment().consumer().version(),
                  segmentProgress.segment().number(),
                  at,
                  Math.max(0, head - at),
                  age,
                  Duration.between(segmentProgress.progress(), segmentProgress.seen()),
                  segmentProgress.isActive());
            })
        .toList();
  }

  private Duration ageAfter(long position, SegmentTable.SegmentProgress segmentProgress) {
    return reader
        .next(position)
        .map(event -> Duration.between(event.instant(), segmentProgress.seen()))
        .filter(age -> !age.isNegative())
        .orElse(Duration.ZERO);
  }

  private void tell(ConsumerId consumer, int segments) {
    var before = stuck.put(consumer, segments);
    if (segments > 0 && (before == null || before == 0)) {
      LOG.log(
          Level.ERROR, () -> "consumer is stuck consumer=" + consumer + " segments=" + segments);
    }
  }

  private static Sample next(Sample last, Sample now) {
    var seconds = (now.at - last.at) / 1e9;
    var moved = Math.max(0, now.checkpoint - last.checkpoint) / seconds;
    return new Sample(now.at, now.checkpoint, last.perSecond + NEWEST * (moved - last.perSecond));
  }

  private void gauge(ConsumerId consumer) {
    if (gauged.add(consumer)) {
      metrics.gauge(
          "evento_consumer_stuck",
          "segments with a lag and without progress for ten seconds, on any node",
          () -> stuck.getOrDefault(consumer, 0),
          "consumer",
          consumer.wire());
      metrics.gauge(
          "evento_consumer_dead_letters",
          "dead letters of a consumer",
          () -> letters.getOrDefault(consumer, 0L),
          "consumer",
          consumer.wire());
      metrics.gauge(
          "evento_consumer_lost_events",
          "lost events whose effects a consumer holds, until it is reset or somebody confirms them",
          () -> lost.getOrDefault(consumer, 0L),
          "consumer",
          consumer.wire());
      metrics.gauge(
          "evento_consumer_full",
          "1 where a consumer is paused because its dead letters are full",
          () -> full.contains(consumer) ? 1 : 0,
          "consumer",
          consumer.wire());
    }
  }

  /**
   * How long a segment needs until it has caught up, at its pace of the last seconds.
   *
   * @return empty if it does not get on, or was not measured yet
   */
  public OptionalDouble catchUpSeconds(Lag lag) {
    var id = new SegmentId(new ConsumerId(lag.consumer(), lag.version()), lag.segment());
    var sample = samples.get(id);
    if (lag.events() == 0) {
      return OptionalDouble.of(0);
    }
    return sample == null || sample.perSecond < 0.01
        ? OptionalDouble.empty()
        : OptionalDouble.of(lag.events() / sample.perSecond);
  }
}
