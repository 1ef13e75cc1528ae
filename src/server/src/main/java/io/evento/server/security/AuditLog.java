package io.evento.server.security;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.RequestCorrelation;
import io.evento.server.Threads;
import io.evento.server.config.ServerConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * What was done about rights, and who was refused: the SQL of table {@code audit} but for the rows
 * that the database's own functions write.
 *
 * <p>Refusals are noted beside the request, and of an address only {@link #ROWS_MAX} a minute: how
 * many more there were stands in its first one of the next minute. However many addresses they come
 * from, the database writes 1,500 a minute of all nodes, and one row with the number of the rest.
 */
@NodeScoped
public class AuditLog {
  private static final Logger LOG = System.getLogger(AuditLog.class.getName());
  static final int ROWS_MAX = 20;
  private static final int ADDRESSES_MAX = 1_000;
  private static final int WAITING_MAX = 500;

  private static final String NOTE =
      """
      select evento.note_refusal_1(?, ?, ?, ?, ?, ?)
      """;

  private static final String KEEP =
      """
      select evento.keep_audit_1(?, ?)
      """;

  /** Entries that one page is looked for in, so that a rare one costs as much as any other. */
  private static final int LOOKED_THROUGH_MAX = 20_000;

  /**
   * Entries come into the table almost in the order of their times: two that are written at once
   * may have them the other way round, and so many of them is more than ever do.
   */
  private static final int OUT_OF_ORDER_MAX = 1_000;

  // Plan: index scans of audit_at, which end after OUT_OF_ORDER_MAX rows.
  private static final String BETWEEN =
      """
      select case when ?::timestamptz is null then 0
                  else (select min(id) from (select id from evento.audit where at >= ?::timestamptz
                                              order by at limit ?) x) end,
             case when ?::timestamptz is null then 9223372036854775807
                  else (select max(id) from (select id from evento.audit where at < ?::timestamptz
                                              order by at desc limit ?) x) end
      """;

  // Plan: backward scan of audit_id, which ends after LOOKED_THROUGH_MAX rows. The times are held
  // against what it finds: by themselves they would make it go on through all that is newer.
  private static final String PAGE =
      """
      with asked(kind, who, action, object, node, address, words, "from", "to") as
             (select ?::text, ?::text, ?::text, ?::text, ?::text, ?::text, lower(?::text),
                     ?::timestamptz, ?::timestamptz),
           looked_through as
             (select * from evento.audit where id between ? and ? order by id desc limit ?)
      select a.id, a.at, a.db_user, a.who, a.action, a.object, a.before::text, a.after::text,
             a.node, a.address, a.correlation
        from looked_through a, asked q
       where (q.kind is null
              or q.kind = case when a.action = 'refuse' then 'refusals'
                               when a.action in ('sign in', 'sign out', 'fail to sign in')
                                 then 'sign-ins'
                               else 'changes' end)
         and (q.who is null or a.who = q.who)
         and (q.action is null or a.action = q.action)
         and (q.object is null or a.object = q.object)
         and (q.node is null or a.node = q.node)
         and (q.address is null or a.address = q.address)
         and (q."from" is null or a.at >= q."from")
         and (q."to" is null or a.at < q."to")
         and (q.words is null
              or strpos(lower(concat_ws(' ', a.who, a.action, a.object, a.address, a.after)),
                        q.words) > 0)
       order by a.id desc limit ?
      """;

  static final String LOOKED_THROUGH =
      """
      select count(*), min(id) from
        (select id from evento.audit where id between ? and ? order by id desc limit ?) x
      """;

  // Plan: backward scans of audit_correlation. What the table keeps of an id is what V39 leaves of
  // it.
  private static final String PAGE_OF_REQUEST = ofRequest(PAGE);
  static final String LOOKED_THROUGH_OF_REQUEST = ofRequest(LOOKED_THROUGH);

  private static String ofRequest(String select) {
    return select.replace(
        "where id between",
        "where correlation = left(regexp_replace(?, '[^ -~]', '?', 'g'), 200) and id between");
  }

  /** What kind of thing was done. */
  public enum Kind {
    /** Of people, tokens, settings, consumers and everything else. */
    CHANGES,
    /** Also those that failed, and signing out. */
    SIGN_INS,
    REFUSALS;

    /** As answers name it. */
    public String wire() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * Which entries somebody looks for; null for all.
   *
   * @param who as the entry names him, such as {@code user ada}
   * @param correlation of the request, as its problem and its log lines say it
   * @param from the first moment
   * @param to the moment after the last one
   * @param words that stand in who, action, object, address or what is there after, in any case
   */
  public record Filter(
      @Nullable Kind kind,
      @Nullable String who,
      @Nullable String action,
      @Nullable String object,
      @Nullable String node,
      @Nullable String address,
      @Nullable String correlation,
      @Nullable OffsetDateTime from,
      @Nullable OffsetDateTime to,
      @Nullable String words) {
    /** Everything. */
    public static final Filter NONE =
        new Filter(null, null, null, null, null, null, null, null, null, null);
  }

  /**
   * @param next before which older ones may be; null if there are none
   */
  public record Page(List<Entry> entries, @Nullable Long next) {}

  /**
   * A row. {@code before} and {@code after} are JSON, or null.
   *
   * @param correlation of the request that it is of; null for what none asked for, and of a node of
   *     a release that did not say it
   */
  public record Entry(
      long id,
      OffsetDateTime at,
      String dbUser,
      String who,
      String action,
      String object,
      @Nullable String before,
      @Nullable String after,
      String node,
      String address,
      @Nullable String correlation) {}

  /** Of an address, in this minute. */
  private static final class Count {
    private int noted;
    private int leftOut;
  }

  private final Database database;
  private final ToIntFunction<Setting> settings;
  private final ExecutorService writer;
  private final String node;
  private final Counter refused;
  private final Map<String, Count> counts = new HashMap<>(); // guarded by itself

  @Inject
  public AuditLog(
      Database database, Settings settings, ServerConfig config, Threads threads, Metrics metrics) {
    this(database, settings::get, config, threads, metrics);
  }

  AuditLog(
      Database database,
      ToIntFunction<Setting> settings,
      ServerConfig config,
      Threads threads,
      Metrics metrics) {
    this.database = database;
    this.settings = settings;
    node = config.node().name();
    writer = threads.pool("audit", 1, WAITING_MAX);
    refused =
        metrics.counter("evento_access_refused", "requests without the right to what they ask");
    threads.timer().scheduleWithFixedDelay(this::nextMinute, 1, 1, TimeUnit.MINUTES);
  }

  /**
   * Notes that a caller was refused something: of the request that this node knows of, as another
   * may have said why, and says of what it likes.
   */
  public void refused(Caller caller, String object, EventoException why) {
    var present = RequestCorrelation.present();
    refused(
        Actor.nameOf(caller),
        caller.address(),
        object,
        why.code(),
        present == null ? why.correlation() : present);
  }

  /** The same, if that is why something failed; of other failures nothing is noted. */
  public void failed(Caller caller, String object, EventoException why) {
    if (why.code() == ErrorCode.FORBIDDEN) {
      refused(caller, object, why);
    }
  }

  /**
   * The same of one who may not be known.
   *
   * @param who such as {@code nobody}
   * @param object what was asked for, such as {@code POST /api/tokens}
   */
  public void refused(String who, String address, String object, ErrorCode code) {
    refused(who, address, object, code, RequestCorrelation.present());
  }

  private void refused(
      String who, String address, String object, ErrorCode code, @Nullable String correlation) {
    refused.increment();
    int before;
    synchronized (counts) {
      if (counts.size() >= ADDRESSES_MAX && !counts.containsKey(address)) {
        return;
      }
      var count = counts.computeIfAbsent(address, first -> new Count());
      if (count.noted >= ROWS_MAX) {
        count.leftOut++;
        return;
      }
      count.noted++;
      before = count.leftOut;
      count.leftOut = 0;
    }
    try {
      writer.execute(
          RequestCorrelation.carried(
              correlation, () -> note(who, address, printable(object), code, before)));
    } catch (RejectedExecutionException full) {
      LOG.log(Level.DEBUG, "a refusal is not audited: too many wait");
    }
  }

  private void note(String who, String address, String object, ErrorCode code, int leftOut) {
    try {
      database.read(
          "note refusal",
          connection -> {
            try (var call = Sql.audited(connection, NOTE)) {
              return call.bind(who)
                  .bind(object)
                  .bind(code.wire())
                  .bind(leftOut)
                  .bind(node)
                  .bind(address)
                  .first(row -> 1);
            }
          });
    } catch (RuntimeException failure) {
      LOG.log(Level.WARNING, () -> "a refusal is not audited cause=" + failure.getMessage());
    }
  }

  /** Text of strangers: what no table takes, and what a terminal would obey, is left out. */
  private static String printable(String text) {
    return text.codePoints()
        .map(point -> Character.isISOControl(point) || !Character.isDefined(point) ? '?' : point)
        .limit(300)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private void nextMinute() {
    synchronized (counts) {
      counts.values().removeIf(count -> count.leftOut == 0);
      counts.values().forEach(count -> count.noted = 0);
      if (counts.size() >= ADDRESSES_MAX) {
        counts.clear();
      }
    }
    try {
      writer.execute(this::keep);
    } catch (RejectedExecutionException full) {
      LOG.log(Level.DEBUG, "the audit is looked through in the next minute: too many wait");
    }
  }

  /** Says what was left out, and removes what is too old; blocks on the database. */
  void keep() {
    try {
      database.read(
          "keep audit",
          connection -> {
            try (var call = Sql.prepare(connection, KEEP)) {
              return call.bind(settings.applyAsInt(Setting.AUDIT_KEEP_DAYS))
                  .bind(node)
                  .one(row -> row.getInt(1));
            }
          });
    } catch (RuntimeException failure) {
      LOG.log(Level.DEBUG, () -> "audit not looked through cause=" + failure.getMessage());
    }
  }

  /**
   * Newest first; blocks on the database. A page looks through 20,000 entries at most, so it may
   * have fewer than asked for, or none, and a next one all the same.
   *
   * @param before an entry's id
   */
  public Page page(Filter filter, long before, int limit) {
    return database.read(
        "read audit",
        connection -> {
          var between = between(connection, filter, before);
          if (between.first() > between.last()) {
            return new Page(List.of(), null);
          }
          var entries = entries(connection, filter, between, limit);
          return new Page(
              entries,
              entries.size() == limit
                  ? Long.valueOf(entries.get(limit - 1).id())
                  : lookedThrough(connection, filter, between));
        });
  }

  /** Ids of entries; none where the first is after the last. */
  private record Between(long first, long last) {}

  private static Between between(Connection connection, Filter filter, long before)
      throws SQLException {
    try (var select = Sql.prepare(connection, BETWEEN)) {
      return select
          .bind(filter.from())
          .bind(filter.from())
          .bind(OUT_OF_ORDER_MAX)
          .bind(filter.to())
          .bind(filter.to())
          .bind(OUT_OF_ORDER_MAX)
          .one(
              row -> {
                var first = row.getLong(1);
                // Nothing is at these times.
                return row.wasNull()
                    ? new Between(1, 0)
                    : new Between(first, Math.min(row.getLong(2), Math.max(before, 1) - 1));
              });
    }
  }

  private static List<Entry> entries(
      Connection connection, Filter filter, Between between, int limit) throws SQLException {
    var kind = filter.kind();
    var correlation = filter.correlation();
    try (var select = Sql.prepare(connection, correlation == null ? PAGE : PAGE_OF_REQUEST)) {
      select
          .bind(kind == null ? null : kind.wire())
          .bind(filter.who())
          .bind(filter.action())
          .bind(filter.object())
          .bind(filter.node())
          .bind(filter.address())
          .bind(filter.words())
          .bind(filter.from())
          .bind(filter.to());
      return bind(select, correlation, between)
          .bind(limit)
          .rows(
              row ->
                  new Entry(
                      row.getLong(1),
                      row.getObject(2, OffsetDateTime.class),
                      row.getString(3),
                      row.getString(4),
                      row.getString(5),
                      row.getString(6),
                      row.getString(7),
                      row.getString(8),
                      row.getString(9),
                      row.getString(10),
                      row.getString(11)));
    }
  }

  private static Sql bind(Sql select, @Nullable String correlation, Between between)
      throws SQLException {
    return (correlation == null ? select : select.bind(correlation))
        .bind(between.first())
        .bind(between.last())
        .bind(LOOKED_THROUGH_MAX);
  }

  /** The last entry that was looked at, if there may be more; else null. */
  private static @Nullable Long lookedThrough(Connection connection, Filter filter, Between between)
      throws SQLException {
    var correlation = filter.correlation();
    try (var select =
        Sql.prepare(connection, correlation == null ? LOOKED_THROUGH : LOOKED_THROUGH_OF_REQUEST)) {
      long last =
          bind(select, correlation, between)
              .one(row -> row.getLong(1) < LOOKED_THROUGH_MAX ? 0 : row.getLong(2));
      return last == 0 ? null : last;
    }
  }
}
