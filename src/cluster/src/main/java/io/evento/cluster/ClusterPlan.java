package io.evento.cluster;

import io.evento.launcher.PayaraMicro;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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
 * @param isSecured whether callers need a credential; else everybody on this machine may do
 *     everything
 * @param nodeSettings more variables of the nodes' environment; <code>{node}</code> in a value is
 *     the node's number
 * @param hardening certificates and passwords, if everything is to be encrypted and the database to
 *     have passwords that nobody knows
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
    List<Path> wars,
    boolean isSecured,
    Map<String, String> nodeSettings,
    Optional<Hardening> hardening) {

  static final int NODES_MAX = 8;

  public ClusterPlan {
    if (nodes < 1 || nodes > NODES_MAX) {
      throw new IllegalArgumentException(
          "cluster.nodes must be 1 to " + NODES_MAX + ", is " + nodes);
    }
    nodeJvm = List.copyOf(nodeJvm);
    wars = List.copyOf(wars);
    nodeSettings = Map.copyOf(nodeSettings);
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
    this(
        project,
        directory,
        nodes,
        bundles,
        ports,
        external,
        server,
        nodeJvm,
        standby,
        List.of(),
        false,
        Map.of(),
        Optional.empty());
  }

  private ClusterPlan with(
      List<Path> otherWars,
      boolean security,
      Map<String, String> settings,
      Optional<Hardening> otherHardening) {
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
        otherWars,
        security,
        settings,
        otherHardening);
  }

  /** The same with a WAR of its own for each node. */
  public ClusterPlan of(Releases releases) {
    return with(releases.places(), isSecured, nodeSettings, hardening);
  }

  /**
   * The same whose callers need a credential. Each node writes the code that makes the first
   * administrator to {@link #setupFile}.
   *
   * @param settings more variables of the nodes' environment; <code>{node}</code> in a value is the
   *     node's number
   */
  public ClusterPlan secured(Map<String, String> settings) {
    return with(wars, true, settings, hardening);
  }

  /**
   * The same, whose nodes are told more.
   *
   * @param settings more variables of the nodes' environment; <code>{node}</code> in a value is the
   *     node's number
   */
  public ClusterPlan tellingNodes(Map<String, String> settings) {
    return with(wars, isSecured, settings, hardening);
  }

  /**
   * The same with everything on: callers need a credential, all that listens for nodes, bundles and
   * callers has TLS, nodes know each other by certificates, the database proves its name and has
   * random passwords, and no node has those of the schema's owner. The files for that are made now,
   * in {@code secrets} of the plan's directory, unless they are there.
   *
   * @throws IllegalArgumentException if the database is somebody else's, or the server not the one
   *     that the launcher knows how to give a certificate to
   */
  public ClusterPlan hardened() {
    if (external.isPresent() || server != AppServer.PAYARA_MICRO) {
      throw new IllegalArgumentException(
          "cluster.secure brings a PostgreSQL and Payara Micro of its own");
    }
    return with(wars, true, nodeSettings, Optional.of(Hardening.in(secrets())));
  }

  /** What nobody but this user may read, if the cluster is secured. */
  Path secrets() {
    return directory.resolve("secrets");
  }

  /** Where the bank's token is, once there is one. */
  public Path bankToken() {
    return secrets().resolve(Hardening.TOKEN_FILE);
  }

  /**
   * Where a node writes the code that makes the first administrator, if it is secured.
   *
   * @param number from 1
   */
  public Path setupFile(int number) {
    return directory.resolve("setup-code-" + number);
  }

  static ClusterPlan from(Path project, Properties options) {
    var jvm = options.getProperty("cluster.node.jvm");
    // Of its own, as a database that was once closed is never open to everybody again.
    var isSecure = Boolean.parseBoolean(options.getProperty("cluster.secure", "false"));
    var plan =
        new ClusterPlan(
            project,
            project.resolve(isSecure ? "target/cluster/secure" : "target/cluster"),
            Integer.parseInt(options.getProperty("cluster.nodes", "3")),
            Boolean.parseBoolean(options.getProperty("cluster.bank", "true")) ? 2 : 0,
            Ports.from(options),
            Database.external(options),
            AppServer.PAYARA_MICRO,
            jvm == null ? PayaraMicro.QUICK_START : List.of(jvm.trim().split("\\s+")),
            false);
    return isSecure ? plan.hardened() : plan;
  }

  /**
   * One node on a PostgreSQL of the user's own, beside whatever cluster stands here.
   *
   * @throws IllegalArgumentException if none is named, or the cluster is to be secured
   */
  static ClusterPlan forProof(Path project, Properties options) {
    var plan = from(project, options);
    if (plan.external().isEmpty() || plan.isSecured()) {
      throw new IllegalArgumentException(
          "a node is started on cluster.jdbc.url alone, without cluster.secure");
    }
    return new ClusterPlan(
        project,
        project.resolve("target/prove"),
        1,
        0,
        plan.ports().shifted(1_000),
        plan.external(),
        plan.server(),
        plan.nodeJvm(),
        false);
  }

  /**
   * Three nodes and two banks on ports of their own, with the compiler that long runs want, unless
   * {@code bench.node.jvm} names other options for the nodes' JVMs.
   *
   * @param number from 0, of those that run beside each other
   */
  public static ClusterPlan forBench(Path project, int number) {
    return new ClusterPlan(
        project,
        project.resolve(number == 0 ? "target/bench" : "target/bench-" + number),
        3,
        2,
        Ports.from(new Properties()).shifted(2_000 + 400 * number),
        Optional.empty(),
        AppServer.PAYARA_MICRO,
        List.of(
            System.getProperty("bench.node.jvm", "-Xmx512m -XX:+UseParallelGC")
                .trim()
                .split("\\s+")),
        false);
  }

  public Database database() {
    return external.orElseGet(
        () -> {
          var embedded =
              standby
                  ? Database.embedded(ports.postgres(), ports.standby())
                  : Database.embedded(ports.postgres());
          return hardening.map(embedded::hardened).orElse(embedded);
        });
  }

  /** Those of the plan's ports on which somebody listens already. */
  public List<Integer> takenPorts() {
    return ports
        .all(nodes, bundles)
        .filter(port -> external.isEmpty() || port != ports.postgres())
        .filter(port -> standby || port != ports.standby())
        .filter(port -> hardening.isPresent() || port != ports.provider())
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
