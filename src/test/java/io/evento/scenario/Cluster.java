package io.evento.scenario;

import io.evento.launcher.Database;
import io.evento.launcher.Member;
import io.evento.launcher.PatroniCluster;
import io.evento.launcher.Releases;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/**
 * The running cluster, for a scenario:
 *
 * <pre>{@code
 * @RegisterExtension static final Cluster cluster = Cluster.running();
 *
 * @Test void a_killed_node_loses_no_acknowledged_command() throws Exception {
 *   try (var callers = Callers.movingMoney(cluster, 64, Entrance.EVERY_NODE, 1_000, 0)) {
 *     cluster.node(2).kill();
 *     callers.awaitOutcomes(1_000);
 *     cluster.start(cluster.node(2));
 *     assertThat(callers.stop()).storedEveryAcknowledgedCommandOnce();
 *   }
 * }
 * }</pre>
 *
 * It is started with the first class that asks and stopped at the end of the test run; one on
 * Patroni, or of two releases, belongs to a class. A test may leave members dead or frozen: they
 * are ready again before the next class.
 */
public final class Cluster implements BeforeAllCallback, AfterAllCallback {

  private enum Kind {
    OWN,
    PATRONI,
    MIXED
  }

  private final Kind kind;
  private @Nullable SharedCluster shared;
  private @Nullable PatroniCluster patroni;
  private @Nullable Releases releases;

  private Cluster(Kind kind) {
    this.kind = kind;
  }

  public static Cluster running() {
    return new Cluster(Kind.OWN);
  }

  /** Nodes of this class alone, on three PostgreSQL under Patroni. */
  static Cluster onPatroni() {
    return new Cluster(Kind.PATRONI);
  }

  /** Nodes of this class alone: the first runs an earlier release, the others what was built. */
  static Cluster ofTwoReleases() {
    return new Cluster(Kind.MIXED);
  }

  @Override
  public void beforeAll(ExtensionContext context) throws Exception {
    if (kind == Kind.PATRONI) {
      patroni = PatroniCluster.start();
      shared =
          SharedCluster.start(
              "patroni/" + context.getRequiredTestClass().getSimpleName(),
              Optional.of(patroni.database()),
              Optional.empty());
      return;
    }
    if (kind == Kind.MIXED) {
      releases = Releases.find(Path.of("").toAbsolutePath(), SharedCluster.NODES);
      releases.give(1, Releases.Release.EARLIER);
      shared = SharedCluster.start("mixed/cluster", Optional.empty(), Optional.of(releases));
      return;
    }
    shared =
        context
            .getRoot()
            .getStore(Namespace.GLOBAL)
            .getOrComputeIfAbsent(
                SharedCluster.class,
                key -> SharedCluster.start("scenario", Optional.empty(), Optional.empty()),
                SharedCluster.class);
    shared.heal();
  }

  @Override
  public void afterAll(ExtensionContext context) {
    if (kind != Kind.OWN && shared != null) {
      shared.close();
    }
    if (patroni != null) {
      patroni.close();
    }
  }

  /** Nodes in order; {@code kill}, {@code pause} and so on act at once. */
  public List<Member> nodes() {
    return shared().local().nodes();
  }

  /**
   * @param number 1 to 3
   */
  public Member node(int number) {
    return nodes().get(number - 1);
  }

  public List<Member> bundles() {
    return shared().local().bundles();
  }

  public Member balancer() {
    return shared().local().balancer();
  }

  public Postgres postgres() {
    return new Postgres(shared().local());
  }

  public PatroniCluster patroni() {
    if (patroni == null) {
      throw new IllegalStateException("this cluster is not on Patroni");
    }
    return patroni;
  }

  /** What each node runs when it is started next. */
  Releases releases() {
    if (releases == null) {
      throw new IllegalStateException("this cluster is of one release");
    }
    return releases;
  }

  /** A superuser's connection to the nodes' database; close it. */
  public Connection administrator() throws SQLException {
    return kind == Kind.PATRONI ? patroni().administrator() : postgres().administrator();
  }

  /** Starts a member and waits until it is ready. */
  public void start(Member member) throws InterruptedException {
    member.start();
    member.awaitReady(SharedCluster.START_MAX);
  }

  public void awaitReady(Member member) throws InterruptedException {
    member.awaitReady(SharedCluster.START_MAX);
  }

  /** Where bundles enter a node or the balancer. */
  public String webSocket(Member member) {
    return member.url().replaceFirst("^http", "ws") + "/evento";
  }

  /** Environment of a bundle that knows the balancer and no node. */
  public Map<String, String> throughTheBalancer() {
    return Map.of("EVENTO_SERVERS", webSocket(balancer()));
  }

  /** HTTP at a node or at the balancer. */
  public Door door(Member member) {
    return new Door(member.url());
  }

  /** The doors of all nodes, in order. */
  public List<Door> doors() {
    return nodes().stream().map(this::door).toList();
  }

  /** The balancer's door alone. */
  public List<Door> balancerDoor() {
    return Stream.of(balancer()).map(this::door).toList();
  }

  /** What a node or bundle is told to enter the database. */
  public Database database() {
    return shared().local().database();
  }

  private SharedCluster shared() {
    if (shared == null) {
      throw new IllegalStateException("a cluster runs only inside a test: use @RegisterExtension");
    }
    return shared;
  }
}
