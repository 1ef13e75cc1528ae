package io.evento.server.setting;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.silence.SchedulingDelay;
import io.evento.server.NodeScoped;
import io.evento.server.RequestCorrelation;
import io.evento.server.Threads;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.ConfigProvider;
import org.jspecify.annotations.Nullable;

/**
 * The settings in force on this node: MicroProfile Config ({@code evento.KEY}) before the table
 * before the default. The table is read once a second, so a change is in force everywhere within
 * two.
 */
@NodeScoped
public class Settings {
  private static final Logger LOG = System.getLogger(Settings.class.getName());

  private static final String READ =
      """
      select key, value from evento.setting
      """;

  // Whoever changes a setting waits until this transaction is over; whoever reads does not.
  private static final String LOCK =
      """
      lock table evento.setting in share row exclusive mode
      """;

  // Plan: for each key one row of setting_audit_key, however often it was changed.
  private static final String LAST_CHANGES =
      """
      select a.id, a.key, a.old_value, a.new_value, a.changed_at, a.changed_by, a.reason
        from unnest(?::text[]) as k(key)
        cross join lateral (select * from evento.setting_audit s where s.key = k.key
                             order by s.id desc limit 1) a
      """;

  private static final String HISTORY =
      """
      select id, key, old_value, new_value, changed_at, changed_by, reason
        from evento.setting_audit where key = ? and id < ? order by id desc limit ?
      """;

  /** Where a value comes from. */
  public enum Source {
    DEFAULT,
    CLUSTER,
    NODE
  }

  /**
   * @param setting that it is of
   * @param value in force on this node
   */
  public record Value(Setting setting, int value, Source source) {}

  /**
   * What somebody changed of the cluster's value.
   *
   * @param before null for the default, and for what is no number
   * @param after null for the default, and for what is no number
   */
  public record Change(
      long id,
      String key,
      @Nullable Long before,
      @Nullable Long after,
      OffsetDateTime at,
      String by,
      @Nullable String reason) {}

  private final Database database;
  private final EntityManagers managers;
  private final ExecutorService reader;
  private final SchedulingDelay delay;
  private final Map<Setting, Integer> ofNode;
  private volatile Map<Setting, Integer> ofCluster = Map.of();
  private volatile boolean reading;

  @Inject
  public Settings(Database database, EntityManagers managers, Threads threads) {
    this(database, managers, threads, ofConfig());
  }

  public Settings(
      Database database, EntityManagers managers, Threads threads, Map<Setting, Integer> ofNode) {
    this.database = database;
    this.managers = managers;
    this.ofNode = ofNode;
    delay = threads.delay();
    reader = threads.pool("settings", 1, 2);
    applyPatience();
    threads.timer().scheduleWithFixedDelay(this::refresh, 0, 1, TimeUnit.SECONDS);
  }

  private static Map<Setting, Integer> ofConfig() {
    var config = ConfigProvider.getConfig();
    var values = new HashMap<Setting, Integer>();
    for (var setting : Setting.values()) {
      config
          .getOptionalValue("evento." + setting.key(), Integer.class)
          .ifPresent(
              value -> {
                if (!setting.allows(value)) {
                  throw new IllegalArgumentException(
                      "evento." + setting.key() + " must be " + range(setting) + ", is " + value);
                }
                values.put(setting, value);
              });
    }
    return Map.copyOf(values);
  }

  /** The value in force on this node. */
  public int get(Setting setting) {
    return value(setting).value();
  }

  public Value value(Setting setting) {
    var node = ofNode.get(setting);
    if (node != null) {
      return new Value(setting, node, Source.NODE);
    }
    var cluster = ofCluster.get(setting);
    return cluster != null
        ? new Value(setting, cluster, Source.CLUSTER)
        : new Value(setting, setting.standard(), Source.DEFAULT);
  }

  public List<Value> all() {
    return Arrays.stream(Setting.values()).map(this::value).toList();
  }

  /** What this node's own configuration says, which wins here until its next start. */
  public Map<Setting, Integer> ofNode() {
    return ofNode;
  }

  /**
   * The last change of each known setting that somebody ever changed, by key. Blocks on the
   * database.
   */
  public Map<String, Change> lastChanges() {
    return database.read(
        "read changes of settings",
        connection -> {
          try (var select = Sql.prepare(connection, LAST_CHANGES)) {
            var changes = new HashMap<String, Change>();
            select
                .array("text", List.of(Setting.values()), Setting::key)
                .each(row -> changes.put(row.getString(2), change(row)));
            return changes;
          }
        });
  }

  /**
   * Changes of one setting, the newest first. Blocks on the database.
   *
   * @param before a change's id; only older ones are told
   * @throws EventoException {@code not-found} for an unknown key
   */
  public List<Change> history(String key, long before, int limit) {
    find(key);
    return database.read(
        "read changes of a setting",
        connection -> {
          try (var select = Sql.prepare(connection, HISTORY)) {
            return select.bind(key).bind(before).bind(limit).rows(Settings::change);
          }
        });
  }

  /** Null for none, and for what is none: somebody wrote it into the table by hand. */
  private static @Nullable Long number(@Nullable String text) {
    try {
      return text == null ? null : Long.valueOf(text);
    } catch (NumberFormatException other) {
      return null;
    }
  }

  private static Change change(ResultSet row) throws SQLException {
    return new Change(
        row.getLong(1),
        row.getString(2),
        number(row.getString(3)),
        number(row.getString(4)),
        row.getObject(5, OffsetDateTime.class),
        row.getString(6),
        row.getString(7));
  }

  /**
   * What this node would have after a change that is not made. Blocks on the database.
   *
   * @param value null for the default
   * @param seen as {@link Order} has it
   * @throws EventoException as {@link #set} throws
   */
  public Value would(String key, @Nullable Long value, @Nullable Long seen) {
    var setting = find(key);
    if (value != null) {
      check(setting, value);
    }
    if (seen != null) {
      managers.read(
          manager -> {
            checkSeen(manager, setting, seen);
            return setting;
          });
    }
    if (ofNode.containsKey(setting)) {
      return value(setting);
    }
    return value == null
        ? new Value(setting, setting.standard(), Source.DEFAULT)
        : new Value(setting, Math.toIntExact(value), Source.CLUSTER);
  }

  /**
   * Who changes a setting, and why.
   *
   * @param reason for the audit; null if none was given
   * @param seen id of the last change that he saw, 0 for none; null if whatever somebody else did
   *     meanwhile is to be overwritten
   */
  public record Order(String by, @Nullable String reason, @Nullable Long seen) {}

  /**
   * Sets a value for the whole cluster. Blocks on the database.
   *
   * @throws EventoException {@code not-found} for an unknown key, {@code invalid-request} for a
   *     value out of range, {@code conflict} if there was a change after the one that was seen;
   *     nothing was changed
   */
  public Value set(String key, long value, Order order) {
    var setting = find(key);
    check(setting, value);
    change(setting, Long.toString(value), order);
    read();
    return value(setting);
  }

  /** Goes back to the default, likewise. Blocks on the database. */
  public Value reset(String key, Order order) {
    var setting = find(key);
    change(setting, null, order);
    read();
    return value(setting);
  }

  public Value get(String key) {
    return value(find(key));
  }

  private static Setting find(String key) {
    return Setting.of(key)
        .orElseThrow(() -> new EventoException(ErrorCode.NOT_FOUND, "there is no setting " + key));
  }

  private static void check(Setting setting, long value) {
    if (!setting.allows(value)) {
      throw EventoException.invalid("/value", "must be " + range(setting) + ", is " + value);
    }
  }

  private static String range(Setting setting) {
    return "a whole number from " + setting.min() + " to " + setting.max();
  }

  private void change(Setting setting, @Nullable String value, Order order) {
    var by = order.by();
    managers.audited(
        manager -> {
          manager.createNativeQuery(LOCK).executeUpdate();
          checkSeen(manager, setting, order.seen());
          var row = manager.find(SettingRow.class, setting.key());
          var before = row == null ? null : row.value();
          var now = now(manager);
          manager.persist(
              new SettingAuditRow(setting.key(), before, value, now, by, order.reason()));
          if (value == null) {
            if (row != null) {
              manager.remove(row);
            }
          } else {
            var changed = row == null ? new SettingRow(setting.key()) : row;
            changed.set(value, by, now);
            manager.persist(changed);
          }
          return setting;
        });
    LOG.log(
        Level.INFO,
        () ->
            "setting changed key="
                + setting.key()
                + " value="
                + value
                + " by="
                + by
                + RequestCorrelation.logged());
  }

  private static void checkSeen(EntityManager manager, Setting setting, @Nullable Long seen) {
    var last =
        manager
            .createQuery(
                "select s from SettingAuditRow s where s.key = :key order by s.id desc",
                SettingAuditRow.class)
            .setParameter("key", setting.key())
            .setMaxResults(1)
            .getResultStream()
            .findFirst();
    if (seen != null && !seen.equals(last.map(SettingAuditRow::id).orElse(0L))) {
      throw new EventoException(
          ErrorCode.CONFLICT,
          last.map(
                  change ->
                      change.by()
                          + " changed "
                          + setting.key()
                          + " meanwhile, from "
                          + said(change.before())
                          + " to "
                          + said(change.after()))
              .orElse("nobody ever changed " + setting.key()));
    }
  }

  private static String said(@Nullable String value) {
    return value == null ? "the default" : value;
  }

  private static OffsetDateTime now(EntityManager manager) {
    // As a number, for the servers' own EclipseLinks answer a time with different classes.
    var micros =
        (Number)
            manager
                .createNativeQuery(
                    "select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)")
                .getSingleResult();
    return Instant.EPOCH.plus(micros.longValue(), ChronoUnit.MICROS).atOffset(ZoneOffset.UTC);
  }

  private void refresh() {
    if (reading) {
      return;
    }
    reading = true;
    try {
      reader.execute(
          () -> {
            try {
              read();
              applyPatience();
            } catch (RuntimeException failure) {
              LOG.log(Level.DEBUG, "settings stay as they were", failure);
            } finally {
              reading = false;
            }
          });
    } catch (RejectedExecutionException stopping) {
      reading = false;
    }
  }

  private void applyPatience() {
    delay.limit(Duration.ofSeconds(get(Setting.SILENCE_PATIENCE_SECONDS)));
  }

  private void read() {
    ofCluster =
        database.read(
            "read settings",
            connection -> {
              var values = new HashMap<Setting, Integer>();
              try (var select = connection.prepareStatement(READ);
                  var row = select.executeQuery()) {
                while (row.next()) {
                  var setting = Setting.of(row.getString(1)).orElse(null);
                  var value = number(row.getString(2));
                  // A key of a newer release, or a value beyond this one's range, is not ours.
                  if (setting != null && value != null && setting.allows(value)) {
                    values.put(setting, Math.toIntExact(value));
                  }
                }
              }
              return Map.copyOf(values);
            });
  }
}
