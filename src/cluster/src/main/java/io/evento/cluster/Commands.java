package io.evento.cluster;

import io.evento.launcher.Launch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
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
    return new NodePlace(plan, number).settings().url();
  }

  String balancerUrl() {
    return (plan.hardening().isPresent() ? "https://" : "http://")
        + LOOPBACK
        + ":"
        + plan.ports().balancer();
  }

  String bundleUrl(int number) {
    return "http://" + LOOPBACK + ":" + (plan.ports().bank() + number - 1);
  }

  Launch node(int number) {
    return plan.server().launch(new NodePlace(plan, number));
  }

  Launch balancer() {
    var options = new ArrayList<String>();
    options.addAll(List.of("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    options.add("-Djava.util.logging.SimpleFormatter.format=%1$tFT%1$tT.%1$tL %4$s %5$s%n");
    options.addAll(
        List.of("-cp", ClassPath.ofThisProcess(), "io.evento.cluster.balancer.Balancer"));
    options.add(Integer.toString(plan.ports().balancer()));
    IntStream.rangeClosed(1, plan.nodes()).mapToObj(this::nodeUrl).forEach(options::add);
    return new Launch(
        Launch.java(options),
        plan.hardening().map(Commands::balancerCertificate).orElse(Map.of()),
        log(BALANCER));
  }

  private static Map<String, String> balancerCertificate(Hardening with) {
    return Map.of(
        "BALANCER_TRUST_FILE", with.authority().toString(),
        "BALANCER_CERT_FILE", with.server().certificate().toString(),
        "BALANCER_KEY_FILE", with.server().key().toString());
  }

  Launch bundle(int number) {
    var bank = plan.database().bank();
    var servers =
        IntStream.rangeClosed(1, plan.nodes())
            .mapToObj(node -> new NodePlace(plan, node).settings().bundleUrl())
            .collect(Collectors.joining(","));
    var options = new ArrayList<>(List.of("-Xmx192m", "-XX:+UseSerialGC"));
    // Compiled as its nodes are: in a benchmark handlers must not be the slow part.
    plan.nodeJvm().stream().filter(o -> o.startsWith("-XX:Tiered")).forEach(options::add);
    options.addAll(List.of("-jar", plan.built("examples/bank/target/bank.jar").toString()));
    var environment =
        new HashMap<>(
            Map.of(
                "EVENTO_SERVERS", servers,
                "BANK_PORT", Integer.toString(plan.ports().bank() + number - 1),
                "BANK_JDBC_URL", plan.database().url(),
                "BANK_JDBC_USER", bank.user(),
                "BANK_COMPLIANCE_FILE", directory("compliance.txt").toString(),
                "BANK_CONTROL_URL", "http://" + LOOPBACK + ":" + plan.ports().control(),
                "BANK_CONSOLE_URL", balancerUrl() + "/evento/console/"));
    if (plan.isSecured()) {
      environment.put("EVENTO_TOKEN_FILE", plan.bankToken().toString());
    }
    environment.putAll(
        plan.hardening()
            .map(Commands::bundleCredentials)
            .orElseGet(() -> Map.of("BANK_JDBC_PASSWORD", bank.password())));
    return new Launch(Launch.java(options), environment, log("bank-" + number));
  }

  private static Map<String, String> bundleCredentials(Hardening with) {
    return Map.of(
        "BANK_JDBC_PASSWORD_FILE", with.password("bank").toString(),
        "EVENTO_TRUST_FILE", with.authority().toString());
  }

  Path log(String id) {
    return directory(id + ".log");
  }

  private Path directory(String name) {
    return plan.directory().resolve(name);
  }
}
