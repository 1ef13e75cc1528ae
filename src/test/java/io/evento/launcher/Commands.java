package io.evento.launcher;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The command lines of a cluster's processes. Nodes and bundles are numbered from 1. */
final class Commands {

  static final String BALANCER = "balancer";

  private static final String LOOPBACK = "127.0.0.1";

  private final ClusterPlan plan;

  Commands(ClusterPlan plan) {
    this.plan = plan;
  }

  String nodeUrl(int number) {
    return "http://" + LOOPBACK + ":" + (plan.ports().node() + number - 1);
  }

  String balancerUrl() {
    return "http://" + LOOPBACK + ":" + plan.ports().balancer();
  }

  String bundleUrl(int number) {
    return "http://" + LOOPBACK + ":" + (plan.ports().bank() + number - 1);
  }

  Launch node(int number) {
    var ports = plan.ports();
    var database = plan.database();
    var root = directory("node-" + number);
    var options = new ArrayList<>(plan.nodeJvm());
    options.addAll(
        List.of(
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            "-Devento.node-name=node-" + number,
            "-Devento.node.bind=" + LOOPBACK,
            "-Devento.node.url=" + nodeUrl(number).replaceFirst("http", "ws") + "/evento",
            "-Devento.link.port=" + (ports.link() + number - 1),
            "-Devento.link.fd-port=" + (ports.fd() + number - 1),
            "-Devento.db.url=" + database.url()));
    options.addAll(List.of("-jar", plan.built("payara-micro.jar").toString()));
    options.addAll(List.of("--nocluster", "--disablephonehome", "--nohostaware"));
    options.addAll(List.of("--port", Integer.toString(ports.node() + number - 1)));
    options.addAll(List.of("--rootdir", root.toString()));
    options.addAll(
        List.of(
            "--prebootcommandfile", plan.project().resolve("payara/pre-boot.asadmin").toString()));
    options.addAll(List.of("--deploy", plan.built("evento.war").toString()));
    return new Launch(
        Launch.java(options),
        Map.of(
            "EVENTO_DB_USER", database.server().user(),
            "EVENTO_DB_PASSWORD", database.server().password(),
            "EVENTO_DB_OWNER_USER", database.owner().user(),
            "EVENTO_DB_OWNER_PASSWORD", database.owner().password()),
        log("node-" + number),
        // Payara would deploy what it remembers, and then the same once more.
        List.of(root.resolve("config/domain.xml"), root.resolve("applications")));
  }

  Launch balancer() {
    var options = new ArrayList<String>();
    options.addAll(List.of("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    options.add("-Djava.util.logging.SimpleFormatter.format=%1$tFT%1$tT.%1$tL %4$s %5$s%n");
    options.addAll(
        List.of("-cp", ClassPath.ofThisProcess(), "io.evento.launcher.balancer.Balancer"));
    options.add(Integer.toString(plan.ports().balancer()));
    IntStream.rangeClosed(1, plan.nodes()).mapToObj(this::nodeUrl).forEach(options::add);
    return new Launch(Launch.java(options), Map.of(), log(BALANCER));
  }

  Launch bundle(int number) {
    var bank = plan.database().bank();
    var servers =
        IntStream.rangeClosed(1, plan.nodes())
            .mapToObj(node -> nodeUrl(node).replaceFirst("http", "ws") + "/evento")
            .collect(Collectors.joining(","));
    return new Launch(
        Launch.java(
            List.of(
                "-Xmx192m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-jar",
                plan.built("it/bank/target/bank.jar").toString())),
        Map.of(
            "EVENTO_SERVERS", servers,
            "BANK_PORT", Integer.toString(plan.ports().bank() + number - 1),
            "BANK_JDBC_URL", plan.database().url(),
            "BANK_JDBC_USER", bank.user(),
            "BANK_JDBC_PASSWORD", bank.password(),
            "BANK_COMPLIANCE_FILE", directory("compliance.txt").toString(),
            "BANK_CONTROL_URL", "http://" + LOOPBACK + ":" + plan.ports().control()),
        log("bank-" + number));
  }

  Path log(String id) {
    return directory(id + ".log");
  }

  private Path directory(String name) {
    return plan.directory().resolve(name);
  }
}
