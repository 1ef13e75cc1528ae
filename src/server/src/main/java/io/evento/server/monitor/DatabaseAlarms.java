package io.evento.server.monitor;

import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.Node;
import io.evento.server.config.ServerConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.ServerCondition;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Settings of PostgreSQL that break a promise, and what of it is nearly used up. */
@NodeScoped
public class DatabaseAlarms implements AlarmRule {
  /** Connections that a node keeps beside its pool: append, heartbeat, leases, links' keys. */
  private static final int BESIDE_THE_POOL = 5;

  private static final int VERSION_MIN = 150_000;

  private static final double NEARLY = 0.9;

  /** PostgreSQL takes no more commands at 2.1 billion and forces a vacuum at 0.2 by default. */
  private static final long WRAPAROUND_AGE = 1_000_000_000L;

  /** What a slot that nobody reads may keep of the log. */
  private static final long SLOT_BYTES = 10L << 30;

  private static final long GIGABYTE = 1L << 30;

  private final Database database;
  private final Membership membership;
  private final ServerConfig config;
  private final Settings settings;

  @Inject
  public DatabaseAlarms(
      Database database, Membership membership, ServerConfig config, Settings settings) {
    this.database = database;
    this.membership = membership;
    this.config = config;
    this.settings = settings;
  }

  @Override
  public Set<AlarmKind> kinds() {
    return Set.of(
        AlarmKind.DATABASE_SETTING,
        AlarmKind.DATABASE_SYNCHRONOUS,
        AlarmKind.DATABASE_STANDBY,
        AlarmKind.DATABASE_BLOAT,
        AlarmKind.DATABASE_CONNECTIONS,
        AlarmKind.DATABASE_DISK,
        AlarmKind.DATABASE_WRAPAROUND);
  }

  @Override
  public List<Finding> find(NodeReports.Gathered reports) {
    var now = database.read("look at the database", ServerCondition::look);
    var found = new ArrayList<Finding>();
    if (now.version() < VERSION_MIN) {
      found.add(
          new Finding(
              AlarmKind.DATABASE_SETTING,
              "version",
              "PostgreSQL is older than 15, the oldest release that this server is tried with",
              Map.of("setting", "version", "value", now.version())));
    }
    setting(
        found,
        "fsync",
        now.fsync(),
        "a crash of its machine may lose or break what was acknowledged");
    setting(
        found,
        "full_page_writes",
        now.fullPageWrites(),
        "a crash of its machine may leave pages half written");
    setting(
        found,
        "synchronous_commit",
        now.synchronousCommit(),
        "leases and checkpoints may be lost in a crash; events are not, their connection sets it");
    connections(found, now);
    disk(found, now);
    standbys(found, now);
    bloat(found, now);
    if (now.oldestTransactions() > WRAPAROUND_AGE) {
      found.add(
          new Finding(
              AlarmKind.DATABASE_WRAPAROUND,
              "",
              "PostgreSQL runs out of transaction numbers: vacuum does not keep up",
              Map.of("age", now.oldestTransactions())));
    }
    return found;
  }

  private static void setting(List<Finding> found, String name, String value, String what) {
    if (value.equals("off")) {
      found.add(
          new Finding(
              AlarmKind.DATABASE_SETTING,
              name,
              name + " of PostgreSQL is off: " + what,
              Map.of("setting", name, "value", value)));
    }
  }

  private void standbys(List<Finding> found, ServerCondition now) {
    if (now.synchronousStandbys().isEmpty() && config.database().isSynchronous()) {
      found.add(
          synchronous(
              now,
              "evento.db.synchronous is required, and PostgreSQL has no synchronous_standby_names:"
                  + " nothing is acknowledged"));
    } else if (now.standbys() == 0 && !now.synchronousStandbys().isEmpty()) {
      found.add(
          synchronous(
              now,
              "Commits wait for a standby, and none is connected: no command ends until one is"));
    } else if (now.standbys() == 0 && database.hosts().size() > 1) {
      found.add(
          standby(
              "connected",
              "evento.db.url names several hosts, and no standby is connected to the primary: if it"
                  + " dies, nothing can take its place"));
    }
    for (var slot : now.slots()) {
      if (slot.isPhysical() && !slot.isActive()) {
        found.add(
            standby(
                "slot " + slot.name(),
                "The standby of replication slot " + slot.name() + " is not connected"));
      }
    }
  }

  /** No command ends: that is an outage, and a standby that is lost is none. */
  private static Finding synchronous(ServerCondition now, String cause) {
    return new Finding(
        AlarmKind.DATABASE_SYNCHRONOUS,
        "synchronous_standby_names",
        cause,
        Map.of("setting", "synchronous_standby_names", "value", now.synchronousStandbys()));
  }

  private static Finding standby(String subject, String cause) {
    return new Finding(AlarmKind.DATABASE_STANDBY, subject, cause, Map.of("standby", subject));
  }

  private static void bloat(List<Finding> found, ServerCondition now) {
    if (now.autovacuum().equals("off")) {
      found.add(
          new Finding(
              AlarmKind.DATABASE_BLOAT,
              "autovacuum",
              "autovacuum of PostgreSQL is off: tables whose rows come and go grow without a bound",
              Map.of("setting", "autovacuum", "value", "off")));
    }
    for (var table : now.bloated()) {
      found.add(
          new Finding(
              AlarmKind.DATABASE_BLOAT,
              table.table(),
              "Vacuum does not keep up with evento."
                  + table.table()
                  + ", which has more dead rows than others",
              Map.of("table", table.table(), "rows", table.rows(), "deadRows", table.deadRows())));
    }
  }

  private void connections(List<Finding> found, ServerCondition now) {
    var nodes = membership.members().nodes().stream().filter(Node::isLive).count();
    var needed = nodes * (config.database().poolSize() + BESIDE_THE_POOL);
    if (needed > now.connectionsMax()) {
      found.add(
          new Finding(
              AlarmKind.DATABASE_CONNECTIONS,
              "max_connections",
              "The nodes may need "
                  + needed
                  + " connections, and max_connections leaves "
                  + now.connectionsMax(),
              Map.of("needed", needed, "max", now.connectionsMax())));
    }
    if (now.connections() >= NEARLY * now.connectionsMax()) {
      found.add(
          new Finding(
              AlarmKind.DATABASE_CONNECTIONS,
              "in use",
              "The connections of PostgreSQL are nearly used up",
              Map.of("connections", now.connections(), "max", now.connectionsMax())));
    }
  }

  private void disk(List<Finding> found, ServerCondition now) {
    var max = settings.get(Setting.ALARMS_DATABASE_GIGABYTES) * GIGABYTE;
    if (max > 0 && now.bytes() >= NEARLY * max) {
      found.add(
          new Finding(
              AlarmKind.DATABASE_DISK,
              "size",
              "The database has nearly the size that it is to have at most",
              Map.of("bytes", now.bytes(), "bytesMax", max)));
    }
    for (var slot : now.slots()) {
      if (slot.isLosing() || (!slot.isActive() && slot.keptBytes() >= SLOT_BYTES)) {
        found.add(
            new Finding(
                AlarmKind.DATABASE_DISK,
                "slot " + slot.name(),
                slot.isLosing()
                    ? "Replication slot "
                        + slot.name()
                        + " falls too far behind: its reader is cut off"
                    : "Nobody reads replication slot "
                        + slot.name()
                        + ", which keeps the log on disk",
                Map.of("slot", slot.name(), "keptBytes", slot.keptBytes())));
      }
    }
  }
}
