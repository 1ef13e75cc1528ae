package io.evento.server.console;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.delivery.LostEvents;
import io.evento.server.consumer.operation.ConsumerMonitor;
import io.evento.server.consumer.segment.ConsumerRow;
import io.evento.server.consumer.segment.ConsumerSegmentRow;
import io.evento.server.persistence.EntityManagers;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What pages show of consumers. Blocks on the database. */
@NodeScoped
public class ConsumerViews {
  private final EntityManagers managers;
  private final ConsumerMonitor watch;
  private final LostEvents lostEvents;

  @Inject
  public ConsumerViews(EntityManagers managers, ConsumerMonitor watch, LostEvents lostEvents) {
    this.lostEvents = lostEvents;
    this.managers = managers;
    this.watch = watch;
  }

  /**
   * @param owner the node that delivers it; absent if none does
   * @param checkpoint last position that was acknowledged
   * @param lagEvents positions of the store behind its head, whether or not they concern it
   * @param lagSeconds age of the first event that was not acknowledged yet; 0 without a lag
   * @param catchUpSeconds until there is no lag any more at its pace of the last seconds; absent if
   *     it does not get on, or was not looked at yet
   * @param state {@code running}, {@code paused}, {@code full} (of dead letters), {@code stuck} (a
   *     lag without progress for ten seconds), {@code failing} (an event is being tried again),
   *     {@code merging} or {@code unowned}
   * @param note why it does not get on, or that it holds effects of lost events
   */
  record SegmentView(
      int segment,
      int firstSlot,
      int lastSlot,
      String status,
      String state,
      @Nullable String owner,
      long fence,
      String epoch,
      long checkpoint,
      long lagEvents,
      double lagSeconds,
      @Nullable Double catchUpSeconds,
      @Nullable Integer mergesWith,
      @Nullable Long mergesAt,
      @Nullable String note) {}

  /**
   * @param role {@code live} or {@code shadow}
   * @param status {@code active}, {@code paused} or {@code full}
   * @param note why it is paused or full
   * @param held commands of a shadow that have no outcome yet
   * @param deadLetters how many events it failed on, with those that wait behind them
   * @param lostEvents that it has handled and the store has lost since; of nobody's concern any
   *     more once it was reset to before them, or somebody confirmed them
   */
  record ConsumerView(
      String name,
      int version,
      String kind,
      String start,
      String role,
      String status,
      @Nullable String note,
      long held,
      long deadLetters,
      List<LostView> lostEvents,
      List<SegmentView> segments) {}

  /**
   * @param segment its number when it was found
   * @param epoch the life of the store that they belonged to
   * @param from first position that is lost
   * @param to last position that was handled, or may have been
   * @param events how many of these positions concerned the segment; absent if nobody remembers
   * @param certain whether they were handled; else they were sent, and nobody knows
   * @param streams of them, as far as they are remembered
   */
  record LostView(
      int segment,
      String epoch,
      long from,
      long to,
      @Nullable Integer events,
      boolean certain,
      String since,
      List<String> streams) {}

  record ConsumersView(List<ConsumerView> consumers) {}

  private record Key(String name, int version, int segment) {}

  record ConsumerId(String name, int version) {}

  /**
   * @param by who did it; {@code server} for what no person did
   */
  record AuditView(
      long id, String at, String by, String action, String detail, @Nullable String reason) {
    /** Of a row. Public, or the query does not find it. */
    public AuditView(
        long id,
        OffsetDateTime at,
        String by,
        String action,
        String detail,
        @Nullable String reason) {
      this(id, AdminCalls.time(at), by, action, detail, reason);
    }
  }

  /**
   * @param next the {@code before} of the next page; absent at the end
   */
  record AuditsView(List<AuditView> audit, @Nullable Long next) {}

  ConsumersView all() {
    return new ConsumersView(list(row -> true));
  }

  /**
   * @throws EventoException {@code not-found}
   */
  ConsumerView one(String name, int version) {
    return list(row -> row.name().equals(name) && row.version() == version).stream()
        .findFirst()
        .orElseThrow(
            () ->
                new EventoException(
                    ErrorCode.NOT_FOUND, "there is no consumer " + name + ":" + version));
  }

  /** What was done to a consumer before an audit's id, newest first. */
  AuditsView audit(String name, int version, @Nullable Long before, int limit) {
    return managers.read(manager -> audit(manager, name, version, before, limit));
  }

  static AuditsView audit(
      EntityManager manager, String name, int version, @Nullable Long before, int limit) {
    var rows =
        manager
            .createQuery(
                "select new "
                    + AuditView.class.getName()
                    + "(a.id, a.at, a.by, a.action, a.detail, a.reason)"
                    + " from ConsumerAuditRow a where a.name = :name"
                    + " and a.version = :version and a.id < :before"
                    + " order by a.id desc",
                AuditView.class)
            .setParameter("name", name)
            .setParameter("version", version)
            .setParameter("before", before == null ? Long.MAX_VALUE : before)
            .setMaxResults(limit)
            .getResultList();
    return new AuditsView(rows, rows.size() < limit ? null : rows.get(rows.size() - 1).id());
  }

  private List<ConsumerView> list(Predicate<ConsumerRow> wanted) {
    var lags =
        watch.lags().stream()
            .collect(
                Collectors.toMap(
                    lag -> new Key(lag.consumer(), lag.version(), lag.segment()),
                    Function.identity()));
    var lost = lostEvents.all();
    return managers.read(
        manager -> {
          var segments =
              manager
                  .createQuery(
                      "select s from ConsumerSegmentRow s order by s.segment",
                      ConsumerSegmentRow.class)
                  .getResultList();
          var held = held(manager);
          var letters = deadLetters(manager);
          return manager
              .createQuery(
                  "select c from ConsumerRow c order by c.name, c.version", ConsumerRow.class)
              .getResultStream()
              .filter(wanted)
              .map(
                  row -> {
                    var id = new ConsumerId(row.name(), row.version());
                    return view(
                        row,
                        segments,
                        lags,
                        held.getOrDefault(id, 0L),
                        letters.getOrDefault(id, 0L),
                        lost.stream()
                            .filter(loss -> loss.name().equals(row.name()))
                            .filter(loss -> loss.version() == row.version())
                            .toList());
                  })
              .toList();
        });
  }

  /** Commands without an outcome that shadows hold, by shadow; those that hold none are missing. */
  static Map<ConsumerId, Long> held(EntityManager manager) {
    return counts(
        manager,
        "select s.name, s.version, count(s.id) from ShadowCommandRow s"
            + " where s.settledAt is null group by s.name, s.version");
  }

  /** By consumer; those that have none are missing. */
  static Map<ConsumerId, Long> deadLetters(EntityManager manager) {
    return counts(
        manager,
        "select d.name, d.version, count(d.id) from DeadLetterRow d"
            + " where d.droppedAt is null group by d.name, d.version");
  }

  private static Map<ConsumerId, Long> counts(EntityManager manager, String query) {
    return manager
        .createQuery(query, Object[].class)
        .getResultStream()
        .collect(
            Collectors.toMap(
                row -> new ConsumerId((String) row[0], (Integer) row[1]), row -> (Long) row[2]));
  }

  private ConsumerView view(
      ConsumerRow row,
      List<ConsumerSegmentRow> segments,
      Map<Key, ConsumerMonitor.Lag> lags,
      long held,
      long deadLetters,
      List<LostEvents.Loss> lost) {
    return new ConsumerView(
        row.name(),
        row.version(),
        row.kind(),
        row.start(),
        row.role(),
        row.status(),
        row.note(),
        held,
        deadLetters,
        lost.stream().map(ConsumerViews::view).toList(),
        segments.stream()
            .filter(s -> s.name().equals(row.name()) && s.version() == row.version())
            .map(s -> view(row, s, lags.get(new Key(s.name(), s.version(), s.segment())), lost))
            .toList());
  }

  private static LostView view(LostEvents.Loss loss) {
    return new LostView(
        loss.segment(),
        loss.epoch().toString(),
        loss.from(),
        loss.to(),
        loss.events(),
        loss.certain(),
        AdminCalls.time(loss.since()),
        loss.streams());
  }

  private static @Nullable String note(ConsumerSegmentRow row, List<LostEvents.Loss> lost) {
    return row.note() != null
        ? row.note()
        : lost.stream()
            .filter(
                loss -> loss.firstSlot() <= row.lastSlot() && row.firstSlot() <= loss.lastSlot())
            .findFirst()
            .map(LostEvents.Loss::said)
            .orElse(null);
  }

  private SegmentView view(
      ConsumerRow consumer,
      ConsumerSegmentRow row,
      ConsumerMonitor.@Nullable Lag lag,
      List<LostEvents.Loss> lost) {
    var catchUp = lag == null ? OptionalDouble.empty() : watch.catchUpSeconds(lag);
    return new SegmentView(
        row.segment(),
        row.firstSlot(),
        row.lastSlot(),
        row.status(),
        state(consumer, row, lag),
        row.owner(),
        row.fence(),
        row.epoch().toString(),
        row.checkpoint(),
        lag == null ? 0 : lag.events(),
        (lag == null ? Duration.ZERO : lag.age()).toMillis() / 1000.0,
        catchUp.isPresent() ? catchUp.getAsDouble() : null,
        row.mergeWith(),
        row.mergeAt(),
        note(row, lost));
  }

  private static String state(
      ConsumerRow consumer, ConsumerSegmentRow row, ConsumerMonitor.@Nullable Lag lag) {
    if (consumer.status().equals("paused") || row.status().equals("paused")) {
      return "paused";
    }
    if (consumer.status().equals("full")) {
      return "full";
    }
    if (lag != null && lag.isStuck()) {
      return "stuck";
    }
    if (row.note() != null) {
      return "failing";
    }
    if (row.mergeWith() != null) {
      return "merging";
    }
    return row.owner() == null ? "unowned" : "running";
  }
}
