package io.evento.cluster;

import io.evento.launcher.StartFailure;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Properties;

/**
 * {@code mvn -Pprove}: has a store verified and fails if something is not as it must be. It asks
 * the cluster that {@code mvn -Pcluster} started; with {@code -Dprove.url} another one; with {@code
 * -Dcluster.jdbc.url} it starts one node on that PostgreSQL for as long as it takes.
 */
public final class Prove {
  private static final Duration CONNECT_MAX = Duration.ofSeconds(20);

  private final Path project;
  private final Properties options;

  private Prove(Path project, Properties options) {
    this.project = project;
    this.options = options;
  }

  /**
   * Ends with 0 if the run went through and found nothing; else a {@link StartFailure} says what
   * the matter is, which ends Maven, and Java, with 1.
   *
   * @param arguments the root of the project; everything else is said by system properties {@code
   *     prove.*} and {@code cluster.*}
   */
  public static void main(String[] arguments) throws Exception {
    var project = Path.of(arguments.length > 0 ? arguments[0] : "").toAbsolutePath().normalize();
    new Prove(project, System.getProperties()).run();
  }

  private void run() throws Exception {
    var url = Optional.ofNullable(options.getProperty("prove.url"));
    if (url.isEmpty() && options.containsKey("cluster.jdbc.url")) {
      proveByNodeOfItsOwn();
      return;
    }
    var plan = ClusterPlan.from(project, options);
    prove(plan, url.orElseGet(() -> new Commands(plan).balancerUrl()));
  }

  private void proveByNodeOfItsOwn() throws Exception {
    var plan = ClusterPlan.forProof(project, options);
    var cluster = new LocalCluster(plan, Prove::say);
    cluster.clearTheWay();
    var stopping = new Thread(() -> stop(cluster), "stop node");
    Runtime.getRuntime().addShutdownHook(stopping);
    try {
      cluster.start();
      prove(plan, cluster.nodes().get(0).url());
    } finally {
      cluster.stop();
      Runtime.getRuntime().removeShutdownHook(stopping);
    }
  }

  /** When somebody ends this by Ctrl-C: the run goes on with the next node that comes. */
  private static void stop(LocalCluster cluster) {
    try {
      cluster.stop();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void prove(ClusterPlan plan, String url) throws IOException, InterruptedException {
    var http =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT_MAX);
    plan.hardening().ifPresent(with -> http.sslContext(with.trusting()));
    var proof = new StoreProof(http.build(), url, Prove::say);
    var password = passwordFile(plan);
    if (password.isPresent()) {
      proof.signIn(
          options.getProperty("prove.user", Hardening.ADMINISTRATOR),
          Files.readString(password.get()).strip());
    }
    if (!proof.prove(options.getProperty("prove.anchor", ""))) {
      throw new StartFailure("The store is not proven: see what the run found.");
    }
  }

  private Optional<Path> passwordFile(ClusterPlan plan) {
    return Optional.ofNullable(options.getProperty("prove.password-file"))
        .map(Path::of)
        .or(() -> plan.hardening().map(Hardening::administratorPassword));
  }

  private static void say(String sentence) {
    System.out.println(sentence);
  }
}
