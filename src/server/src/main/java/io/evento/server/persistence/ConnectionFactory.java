package io.evento.server.persistence;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;

/**
 * Opens connections to the primary, whichever of the URL's hosts that is.
 *
 * <p>A host that died refuses at once. One that hangs accepts and then says nothing, and the
 * driver, which asks one host after the other, waits longer for it than any caller does. So hosts
 * are asked beside each other (see {@link PrimarySearch}), with short timeouts while they let in;
 * the timeout for answers is set once they did.
 *
 * <p>The host that won is the <em>leader</em>: it is asked first, and another one only if it
 * refuses or is silent for a second. A former primary that comes back beside the new one is
 * therefore not gone to while the new one answers, wherever it stands in the URL.
 *
 * <p>When another host wins, all connections to the one before are cut: who waits there for an
 * answer would wait for its whole timeout, and the pool would lend out what is dead. To its user a
 * cut is a lost answer, which every user of a connection has to bear anyhow.
 */
final class ConnectionFactory {
  private static final Logger LOG = System.getLogger(ConnectionFactory.class.getName());
  private static final Pattern HOSTS = Pattern.compile("(jdbc:postgresql://)([^/?]+)(.*)");

  /** Of each step of a login; a whole login without SSL takes two of them where a host hangs. */
  private static final String LOGIN_STEP_SECONDS = "3";

  private static final long LOGIN_MAX_NANOS = TimeUnit.SECONDS.toNanos(6);
  private static final long LEADER_HEAD_START_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long HEAD_START_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

  private record Opened(String host, Connection connection) {
    boolean isClosed() {
      try {
        return connection.isClosed();
      } catch (SQLException broken) {
        return true;
      }
    }
  }

  private final String prefix;
  private final List<String> hosts;
  private final String suffix;
  private final Database.Vetting vetting;
  private final Runnable onMove;

  // Guarded by this.
  private final List<Opened> open = new ArrayList<>();
  private @Nullable String leader;
  private @Nullable String suspect;
  private long leaderSince;
  private long suspectSince;

  /**
   * @param vetting says of each host that lets in whether it may be this node's database; where it
   *     may not, the next host gets its turn
   * @param onMove called when another host is the primary, before connections to the former are cut
   */
  ConnectionFactory(String url, Database.Vetting vetting, Runnable onMove) {
    this.vetting = vetting;
    this.onMove = onMove;
    var parts = HOSTS.matcher(url);
    if (parts.matches()) {
      prefix = parts.group(1);
      hosts = List.of(parts.group(2).split(","));
      suffix = parts.group(3);
    } else {
      prefix = url;
      hosts = List.of("");
      suffix = "";
    }
  }

  /**
   * @param properties of the driver; what the URL says wins over them
   * @param answers how long the connection's user waits for the server at a time, 1 ms to 24 days
   * @throws SQLException if there is no primary, within seconds
   */
  Connection open(Properties properties, Duration answers) throws SQLException {
    var all = withLimits(properties);
    var found = search(all, answers);
    if (found == null) {
      found = search(all, answers);
    }
    if (found == null) {
      throw new SQLException("the primary moved while connecting", "08001");
    }
    return found;
  }

  /** Null if what was found is out of date. */
  private @Nullable Connection search(Properties properties, Duration answers) throws SQLException {
    var primary =
        new PrimarySearch(
                order(), headStart(), LOGIN_MAX_NANOS, host -> vetted(login(host, properties)))
            .run();
    try {
      primary.connection().setNetworkTimeout(Runnable::run, Math.toIntExact(answers.toMillis()));
    } catch (SQLException failure) {
      primary.connection().close();
      throw failure;
    }
    if (!won(primary)) {
      primary.connection().close();
      return null;
    }
    return primary.connection();
  }

  /** The hosts of the URL, {@code host:port} each, in its order. */
  List<String> hosts() {
    return hosts;
  }

  /** Logs in at one host, whatever store is there. */
  Connection openAt(String host, Properties properties) throws SQLException {
    return login(host, withLimits(properties));
  }

  private Connection vetted(Connection connection) throws SQLException {
    try {
      vetting.check(connection);
      return connection;
    } catch (SQLException | RuntimeException | Error refused) {
      try (connection) {
        throw refused;
      }
    }
  }

  private static Properties withLimits(Properties properties) {
    var all = new Properties();
    all.setProperty("connectTimeout", LOGIN_STEP_SECONDS);
    all.setProperty("socketTimeout", LOGIN_STEP_SECONDS);
    all.setProperty("loginTimeout", "0"); // the search limits it and leaves no thread behind
    all.setProperty("tcpKeepAlive", "true");
    properties
        .stringPropertyNames()
        .forEach(name -> all.setProperty(name, properties.getProperty(name)));
    return all;
  }

  private Connection login(String host, Properties properties) throws SQLException {
    var connection = new Driver().connect(prefix + host + suffix, properties);
    if (connection == null) {
      throw new SQLException("evento.db.url is not understood: " + prefix + host + suffix, "08001");
    }
    return connection;
  }

  /** Leader first, suspect last, the others as in the URL. */
  private synchronized List<String> order() {
    var order = new ArrayList<>(hosts);
    if (suspect != null && order.remove(suspect)) {
      order.add(suspect);
    }
    if (leader != null && order.remove(leader)) {
      order.add(0, leader);
    }
    return order;
  }

  private synchronized long headStart() {
    return leader == null ? HEAD_START_NANOS : LEADER_HEAD_START_NANOS;
  }

  /** False if another host has become the leader since this one was asked. */
  private boolean won(PrimarySearch.Primary primary) {
    var cut = new ArrayList<Opened>();
    synchronized (this) {
      var isLeader = primary.host().equals(leader);
      if (leader != null && !isLeader && primary.asked() - leaderSince < 0) {
        return false;
      }
      open.removeIf(Opened::isClosed);
      open.add(new Opened(primary.host(), primary.connection()));
      if (primary.host().equals(suspect) && primary.asked() - suspectSince < 0) {
        return true; // but no leader, as what made it suspect came later
      }
      leaderSince = System.nanoTime();
      if (!isLeader) {
        open.stream().filter(one -> !one.host().equals(primary.host())).forEach(cut::add);
        leader = primary.host();
      }
    }
    if (!cut.isEmpty()) {
      LOG.log(
          Level.INFO,
          () -> "another host is the primary now host=" + primary.host() + " cut=" + cut.size());
      onMove.run();
      cutBeside(cut);
    }
    return true;
  }

  /**
   * Cuts all connections but one, as the server behind a host's name may be another than it was.
   */
  void cutAllBut(Connection kept) {
    var cut = new ArrayList<Opened>();
    synchronized (this) {
      open.removeIf(Opened::isClosed);
      open.stream().filter(one -> one.connection() != kept).forEach(cut::add);
    }
    if (!cut.isEmpty()) {
      LOG.log(Level.INFO, () -> "connections of before are cut count=" + cut.size());
      cutBeside(cut);
    }
  }

  /** Beside its caller: the end of a TLS connection waits for whoever writes on it. */
  private static void cutBeside(List<Opened> cut) {
    var cutter = new Thread(() -> cut.forEach(ConnectionFactory::cut), "evento-cut");
    cutter.setDaemon(true);
    cutter.start();
  }

  private static void cut(Opened opened) {
    try {
      opened.connection().abort(Runnable::run);
    } catch (SQLException alreadyGone) {
      LOG.log(Level.DEBUG, "a connection to the former primary was gone", alreadyGone);
    }
  }

  /** Lets other hosts go first from now on: this one let in and then was of no use. */
  synchronized void suspect(Connection connection) {
    for (var one : open) {
      if (one.connection() == connection) {
        suspect = one.host();
        suspectSince = System.nanoTime();
        if (one.host().equals(leader)) {
          leader = null;
        }
        return;
      }
    }
  }
}
