package io.evento.scenario;

import io.evento.launcher.AppServer;
import io.evento.launcher.ClusterPlan;
import io.evento.launcher.Database;
import io.evento.launcher.LocalCluster;
import io.evento.launcher.Member;
import io.evento.launcher.PayaraMicro;
import io.evento.launcher.Ports;
import io.evento.launcher.Releases;
import io.evento.launcher.Tree;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.extension.ExtensionContext.Store.CloseableResource;

/** A cluster of a test run; the scenarios share one. */
final class SharedCluster implements CloseableResource {

  static final Duration START_MAX = Duration.ofSeconds(180);

  static final int NODES = 3;
  private static final int BUNDLES = 2;
  // Beside a development cluster, and beside the scenarios of another working copy.
  private static final int SHIFT = 10_000;
  private static final int SHIFT_MAX = 20_000;
  private static final int SHIFT_STEP = 1_000;

  private final LocalCluster local;
  private final Thread stopAtExit = new Thread(this::close, "stop scenario cluster");

  private SharedCluster(LocalCluster local) {
    this.local = local;
  }

  /**
   * @param directory below {@code target}
   * @param external a database that runs already; it brings its own if empty
   * @param releases what the nodes run; what the build made if empty
   */
  static SharedCluster start(
      String directory, Optional<Database> external, Optional<Releases> releases) {
    var free = freePlan(directory, external);
    var plan = releases.map(free::of).orElse(free);
    var shared =
        new SharedCluster(
            new LocalCluster(plan, sentence -> System.out.println("[cluster] " + sentence)));
    Runtime.getRuntime().addShutdownHook(shared.stopAtExit);
    try {
      shared.local.clearTheWay();
      Tree.delete(plan.directory().resolve("pg"));
      shared.local.start();
      return shared;
    } catch (IOException | SQLException failure) {
      throw new IllegalStateException("the cluster does not start", failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the cluster started", interrupted);
    }
  }

  LocalCluster local() {
    return local;
  }

  /** Starts what is dead, wakes what is frozen, and waits until all of it is ready. */
  void heal() throws InterruptedException {
    var all = new ArrayList<Member>();
    local.postgres().ifPresent(all::add);
    all.addAll(local.nodes());
    all.add(local.balancer());
    all.addAll(local.bundles());
    for (var member : all) {
      member.resume();
      member.start();
    }
    for (var member : all) {
      member.awaitReady(START_MAX);
    }
  }

  @Override
  public void close() {
    try {
      local.stop();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static ClusterPlan freePlan(String directory, Optional<Database> external) {
    return IntStream.iterate(SHIFT, shift -> shift <= SHIFT_MAX, shift -> shift + SHIFT_STEP)
        .mapToObj(shift -> plan(shift, directory, external))
        .filter(plan -> plan.takenPorts().isEmpty())
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no free ports for a cluster"));
  }

  private static ClusterPlan plan(int shift, String directory, Optional<Database> external) {
    var project = Path.of("").toAbsolutePath();
    return new ClusterPlan(
        project,
        project.resolve("target").resolve(directory),
        NODES,
        BUNDLES,
        Ports.DEFAULT.shifted(shift),
        external,
        AppServer.PAYARA_MICRO,
        PayaraMicro.QUICK_START,
        true);
  }
}
