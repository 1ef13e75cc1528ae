package io.evento.server.setting;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
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

  private final Database database;
  private final EntityManagers managers;
  private final ExecutorService reader;
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
    reader = threads.pool("settings", 1, 2);
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

  /**
   * Sets a value for the whole cluster. Blocks on the database.
   *
   * @throws EventoException {@code not-found} for an unknown key, {@code invalid-request} for a
   *     value out of range; nothing was changed
   */
  public Value set(String key, long value, String by) {
    var setting = find(key);
    if (!setting.allows(value)) {
      throw EventoException.invalid("/value", "must be " + range(setting) + ", is " + value);
    }
    change(setting, Long.toString(value), by);
    read();
    return value(setting);
  }

  /** Goes back to the default. Blocks on the database. */
  public Value reset(String key, String by) {
    var setting = find(key);
    change(setting, null, by);
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

  private static String range(Setting setting) {
    return "a whole number from " + setting.min() + " to " + setting.max();
  }

  private void change(Setting setting, @Nullable String value, String by) {
    managers.transact(
        manager -> {
          var row = manager.find(SettingRow.class, setting.key());
          var before = row == null ? null : row.value();
          var now = now(manager);
          manager.persist(new SettingAuditRow(setting.key(), before, value, now, by));
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
        Level.INFO, () -> "setting changed key=" + setting.key() + " value=" + value + " by=" + by);
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

  private void read() {
    ofCluster =
        database.read(
            "read settings",
            connection -> {
              var values = new HashMap<Setting, Integer>();
              try (var select = connection.prepareStatement(READ);
                  var row = select.executeQuery()) {
                while (row.next()) {
                  var value = Integer.parseInt(row.getString(2));
                  // A key of a newer release, or a value beyond this one's range, is not ours.
                  Setting.of(row.getString(1))
                      .filter(setting -> setting.allows(value))
                      .ifPresent(setting -> values.put(setting, value));
                }
              }
              return Map.copyOf(values);
            });
  }
}
