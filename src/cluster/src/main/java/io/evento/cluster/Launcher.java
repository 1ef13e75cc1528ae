package io.evento.cluster;

import io.evento.launcher.StartFailure;
import io.evento.launcher.StartPatience;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;

/** {@code mvn -Pcluster}: starts a cluster, says where it is, and stops it when told to end. */
public final class Launcher {
  private static final String START_SECONDS = "cluster.start-seconds";
  private static final int START_SECONDS_MIN = 10;

  private final ClusterPlan plan;
  private final TrafficWish traffic;
  private final Instant begun = Instant.now();
  private final LocalCluster cluster;
  private final ClusterFile file;
  private final String controlUrl;

  private Launcher(ClusterPlan plan, TrafficWish traffic, StartPatience patience) {
    this.plan = plan;
    this.traffic = traffic;
    this.cluster = new LocalCluster(plan, this::say, patience);
    this.controlUrl = "http://127.0.0.1:" + plan.ports().control();
    this.file = new ClusterFile(plan.directory().resolve("cluster.json"), controlUrl, cluster);
  }

  /**
   * @param arguments the root of the project; everything else is said by system properties {@code
   *     cluster.*}
   */
  public static void main(String[] arguments) throws Exception {
    var project = Path.of(arguments.length > 0 ? arguments[0] : "").toAbsolutePath().normalize();
    var options = System.getProperties();
    // Both first: a wrong option is told before anything is started.
    new Launcher(ClusterPlan.from(project, options), TrafficWish.of(options), patience(options))
        .run();
  }

  /**
   * As {@code cluster.start-seconds} says: so long a start is waited for without any progress, and
   * ten times as long with it.
   *
   * @throws IllegalArgumentException if it says something else than a number within the bounds
   */
  static StartPatience patience(Properties options) {
    var given = options.getProperty(START_SECONDS, "120").trim();
    if (!given.matches("[0-9]{1,4}") || Integer.parseInt(given) < START_SECONDS_MIN) {
      throw new IllegalArgumentException(
          START_SECONDS + " must be " + START_SECONDS_MIN + " to 9999, is " + given);
    }
    var idle = Duration.ofSeconds(Integer.parseInt(given));
    return new StartPatience(idle, idle.multipliedBy(10));
  }

  private void run() throws IOException, InterruptedException, SQLException {
    var ended = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> end(ended), "stop cluster"));
    say("starting " + plan.nodes() + " nodes in " + plan.directory());
    file.remove();
    cluster.clearTheWay();
    var door = ControlDoor.open(cluster, file::content, plan.ports().control());
    try {
      cluster.start();
      var sample = Sample.of(plan);
      sample.proveThatItWorks();
      file.show();
      beginTraffic();
      introduce(sample);
      ended.await();
    } catch (StartFailure failure) {
      cluster.stop();
      sayWhatToDo();
      throw failure;
    } finally {
      door.close();
    }
  }

  private void sayWhatToDo() {
    System.out.println(
        "\nThe cluster did not start; the reason stands below. What was built and the database in\n  "
            + plan.directory()
            + "\nare kept: the same command goes on from there. On a slow machine wait longer with"
            + " -D"
            + START_SECONDS
            + "=600,\nor start less: -Dcluster.nodes=1 -Dcluster.bank=false.\n");
  }

  /** A cluster without it is worth as much. */
  private void beginTraffic() throws InterruptedException {
    try {
      traffic.tell(cluster.bundles());
    } catch (IOException failure) {
      say("no money moves by itself, the bank was not told: " + failure.getMessage());
    }
  }

  private void introduce(Sample sample) {
    say("everything is ready\n");
    System.out.println("  console         " + cluster.balancer().url() + "/evento/console/");
    System.out.println("  load balancer   " + cluster.balancer().url() + "/evento");
    cluster
        .nodes()
        .forEach(node -> System.out.println("  " + node + "          " + node.url() + "/evento"));
    cluster.bundles().forEach(bank -> System.out.println("  " + bank + "          " + bank.url()));
    System.out.println("  PostgreSQL      " + cluster.database().url());
    System.out.println("  control door    " + controlUrl);
    plan.hardening().ifPresent(this::sayHowToSignIn);
    System.out.println("\nTry it:\n\n  " + sample.curl() + "\n\nCtrl-C ends it.");
  }

  private void sayHowToSignIn(Hardening with) {
    System.out.println("\nEverything asks for a credential, and has a certificate of");
    System.out.println("  authority       " + with.authority());
    System.out.println(
        "Sign in as "
            + Hardening.ADMINISTRATOR
            + " with the password in\n  "
            + with.administratorPassword());
    System.out.println(
        "or by the OpenID provider of this cluster, as "
            + Hardening.OIDC_PERSON
            + ", in a browser at\n  "
            + cluster.balancer().url()
            + "/evento/api/session/oidc");
  }

  private void end(CountDownLatch ended) {
    try {
      say("stopping");
      file.remove();
      cluster.stop();
      say("everything has ended");
    } catch (IOException failure) {
      say("cannot remove what names the processes: " + failure.getMessage());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } finally {
      ended.countDown();
    }
  }

  private void say(String sentence) {
    var seconds = Duration.between(begun, Instant.now()).toMillis() / 1000.0;
    System.out.println(String.format(Locale.ROOT, "[%5.1f s] %s", seconds, sentence));
  }
}
