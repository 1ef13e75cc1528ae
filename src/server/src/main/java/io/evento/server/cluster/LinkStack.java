package io.evento.server.cluster;

import io.evento.server.config.ServerConfig;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jgroups.Event;
import org.jgroups.JChannel;
import org.jgroups.logging.LogFactory;
import org.jgroups.protocols.FD_ALL3;
import org.jgroups.protocols.FD_SOCK2;
import org.jgroups.protocols.FRAG4;
import org.jgroups.protocols.JDBC_PING2;
import org.jgroups.protocols.MERGE3;
import org.jgroups.protocols.TCP;
import org.jgroups.protocols.UNICAST3;
import org.jgroups.protocols.VERIFY_SUSPECT2;
import org.jgroups.protocols.pbcast.GMS;
import org.jgroups.protocols.pbcast.NAKACK2;
import org.jgroups.protocols.pbcast.STABLE;
import org.jgroups.stack.DiagnosticsHandler;

/** The protocol stack of the links. Finds its members through the cluster's own database. */
final class LinkStack {
  private static final Logger LOG = System.getLogger(LinkStack.class.getName());

  private static final String INSERT =
      """
      insert into evento.jgroups (address, name, cluster, ip, coord) values (?, ?, ?, ?, ?)
      """;
  private static final String DELETE =
      """
      delete from evento.jgroups where address = ?
      """;
  private static final String CLEAR =
      """
      delete from evento.jgroups where cluster = ?
      """;
  private static final String SELECT =
      """
      select address, name, ip, coord from evento.jgroups where cluster = ?
      """;

  private static final String FORGET =
      """
      delete from evento.jgroups j
       where j.name = ?
          or not exists (select from evento.node n
                          where n.name = j.name and n.state <> 'gone'
                            and n.seen_at >= clock_timestamp() - ? * interval '1 millisecond')
      """;

  private static final int HANDSHAKE_MILLIS_MAX = 3_000;

  private LinkStack() {}

  /**
   * Removes addresses that no node of this database stands behind. In a copy of another cluster's
   * database there are those of the original's nodes: who found them would join that cluster, under
   * names that it has too, and commands would be forwarded from one store to the other.
   *
   * <p>Each node calls it before its first beat. So it holds when a node looks for others: an
   * address of a name that beats here was written by the process that beats, as that one had
   * removed all earlier ones of its name before; and one of a name that does not beat here was
   * removed now. If beats were late, the address of a node that lives is lost until the group
   * changes: then two groups have formed, which find each other by the newer one's address and
   * merge.
   *
   * @return how many
   */
  static int forgetFormer(String name, Connection connection) throws SQLException {
    try (var delete = connection.prepareStatement(FORGET)) {
      delete.setString(1, name);
      delete.setLong(2, NodeTable.LEASE_MILLIS);
      return delete.executeUpdate();
    }
  }

  static JChannel channel(ServerConfig config, DataSource database) throws Exception {
    var bind = InetAddress.getByName(config.node().bind());
    var transport = new TCP();
    transport.setBindAddress(bind).setBindPort(config.link().port()).setPortRange(0);
    // JGroups leaves Nagle's algorithm on: on a quiet link a frame then waits for the delayed
    // acknowledgement of the one before it, 40 ms on Linux.
    transport.tcpNodelay(true);
    config
        .link()
        .tls()
        .ifPresent(
            files ->
                transport
                    .tls(LinkCertificates.tls(files))
                    // A handshake comes before a peer's address, and the first one of a JVM is
                    // slow.
                    .setPeerAddrReadTimeout(HANDSHAKE_MILLIS_MAX));
    // It would listen for probes from anybody.
    transport.setDiagnosticsHandler(
        new DiagnosticsHandler(
                LogFactory.getLog(TCP.class),
                transport.getSocketFactory(),
                transport.getThreadFactory())
            .setEnabled(false));
    var discovery =
        new JDBC_PING2()
            .setDataSource(database)
            .setInitializeSql("") // the table is Flyway's
            .setInsertSingleSql(INSERT)
            .setDeleteSingleSql(DELETE)
            .setClearSql(CLEAR)
            .setSelectAllPingdataSql(SELECT);
    discovery.removeAllDataOnViewChange(true);
    var channel =
        new JChannel(
            transport,
            discovery,
            // After a freeze the view is split until these heal it; routing lives without it.
            new MERGE3().setMinInterval(1_000).setMaxInterval(4_000),
            new FD_SOCK2()
                .setBindAddress(bind)
                .setOffset(config.link().failureDetectionPort() - config.link().port())
                .setPortRange(1),
            // A killed process is seen by its socket; this one is for frozen hosts, and routing has
            // gone round those long before.
            new FD_ALL3().setTimeout(8_000).setInterval(1_500),
            new VERIFY_SUSPECT2().setTimeout(500),
            new NAKACK2(),
            new UNICAST3(),
            new STABLE(),
            new GMS().setJoinTimeout(1_000),
            new FRAG4());
    channel.setName(config.node().name());
    channel.setDiscardOwnMessages(true);
    return channel;
  }

  /**
   * Frees the port of a channel that could not connect, or no later one could have it. JGroups
   * closes the socket of a transport that was bound only once it was connected.
   */
  static void giveUp(JChannel channel) {
    var transport = channel.getProtocolStack().getTransport();
    try {
      transport.down(new Event(Event.CONNECT, "evento"));
      transport.down(new Event(Event.DISCONNECT));
    } catch (RuntimeException notBound) {
      // It was the transport's own port that somebody has: there is nothing to free.
      LOG.log(Level.DEBUG, "link given up, nothing was bound", notBound);
    }
  }
}
