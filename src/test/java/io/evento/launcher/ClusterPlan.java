package io.evento.launcher;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Properties;

/**
 * What is to be started.
 *
 * @param project the root of the source tree; what the build made lies in its {@code target}
 * @param directory where the cluster keeps data, logs and the servers' own files
 * @param nodes 1 to 8
 * @param bundles how many copies of the sample bank
 * @param external a PostgreSQL that runs already; the cluster brings its own if empty
 * @param server what the nodes run on
 * @param nodeJvm options for the nodes' JVMs
 * @param standby whether nodes and bundles know a second host of the database, which somebody may
 *     start as a standby; without it none listens there
 * @param wars what each node runs, in order; empty if all run what the build made
 */
public record ClusterPlan(
    Path project,
    Path directory,
    int nodes,
    int bundles,
    Ports ports,
    Optional<Database> external,
    AppServer server,
    List<String> nodeJvm,
    boolean standby,
    List<Path> wars) {

  static final int NODES_MAX = 8;

  public ClusterPlan {
    if (nodes < 1 || nodes > NODES_MAX) {
      throw new IllegalArgumentException(
          "cluster.nodes must be 1 to " + NODES_MAX + ", is " + nodes);
    }
    nodeJvm = List.copyOf(nodeJvm);
    wars = List.copyOf(wars);
  }

  /** All nodes run what the build made. */
  public ClusterPlan(
      Path project,
      Path directory,
      int nodes,
      int bundles,
      Ports ports,
      Optional<Database> external,
      AppServer server,
      List<String> nodeJvm,
      boolean standby) {
    this(project, directory, nodes, bundles, ports, external, server, nodeJvm, standby, List.of());
  }

  /** The same with a WAR of its own for each node. */
  public ClusterPlan of(Releases releases) {
    return new ClusterPlan(
        project,
        directory,
        nodes,
        bundles,
        ports,
        external,
        server,
        nodeJvm,
        standby,
        releases.places());
  }

  static ClusterPlan from(Path project, Properties options) {
    var jvm = options.getProperty("cluster.node.jvm");
    return new ClusterPlan(
        project,
        project.resolve("target/cluster"),
        Integer.parseInt(options.getProperty("cluster.nodes", "3")),
        Boolean.parseBoolean(options.getProperty("cluster.bank", "true")) ? 2 : 0,
        Ports.from(options),
        Database.external(options),
        AppServer.PAYARA_MICRO,
        jvm == null ? PayaraMicro.QUICK_START : List.of(jvm.trim().split("\\s+")),
        false);
  }

  /** Three nodes and two banks on ports of their own, with the compiler that long runs want. */
  public static ClusterPlan forBench(Path project) {
    return new ClusterPlan(
        project,
        project.resolve("target/bench"),
        3,
        2,
        Ports.from(new Properties()).shifted(2_000),
        Optional.empty(),
        AppServer.PAYARA_MICRO,
        List.of("-Xmx512m", "-XX:+UseParallelGC"),
        false);
  }

  public Database database() {
    return external.orElseGet(
        () ->
            standby
                ? Database.embedded(ports.postgres(), ports.standby())
                : Database.embedded(ports.postgres()));
  }

  /** Those of the plan's ports on which somebody listens already. */
  public List<Integer> takenPorts() {
    return ports
        .all(nodes, bundles)
        .filter(port -> external.isEmpty() || port != ports.postgres())
        .filter(port -> standby || port != ports.standby())
        .filter(ClusterPlan::isTaken)
        .boxed()
        .toList();
  }

  Path rolesScript() {
    return project.resolve("docker/roles.sql");
  }

  Path built(String artifact) {
    return project.resolve("target").resolve(artifact);
  }

  private static boolean isTaken(int port) {
    try (var probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return !probe.isBound();
    } catch (IOException taken) {
      return true;
    }
  }
}
