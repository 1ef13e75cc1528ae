package io.evento.cluster;

import io.evento.launcher.Member;
import io.evento.launcher.StartFailure;
import io.evento.launcher.StartPatience;
import io.evento.testing.OidcProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A cluster on this machine: starts its members in the order in which they need each other and
 * stops them in the opposite one.
 */
public final class LocalCluster {

  private static final StartPatience PATIENCE = StartPatience.of(Duration.ofSeconds(300));
  private static final Duration STOP_MAX = Duration.ofSeconds(20);

  private final ClusterPlan plan;
  private final Consumer<String> say;
  private final StartPatience patience;
  private final PidFile pids;
  private final Optional<PostgresServer> server;
  private final Members members;
  private volatile @Nullable OidcProvider provider;
  private final List<Runnable> followers = new CopyOnWriteArrayList<>();

  /**
   * @param say told in short sentences what happens
   */
  public LocalCluster(ClusterPlan plan, Consumer<String> say) {
    this(plan, say, PATIENCE);
  }

  /**
   * @param patience with each member that starts
   */
  LocalCluster(ClusterPlan plan, Consumer<String> say, StartPatience patience) {
    this.plan = plan;
    this.say = say;
    this.patience = patience;
    this.pids = new PidFile(plan.directory().resolve("pids"));
    this.server =
        plan.external().isPresent()
            ? Optional.empty()
            : Optional.of(
                new PostgresServer(
                    new PostgresBinaries(plan.built("postgresql-17")),
                    plan.directory().resolve("pg"),
                    plan.ports().postgres(),
                    plan.hardening()));
    this.members = Members.of(plan, server, new Reporter());
  }

  public Database database() {
    return plan.database();
  }

  /** Empty if the database is somebody else's. */
  public Optional<PostgresServer> postgresServer() {
    return server;
  }

  public Optional<Member> postgres() {
    return members.postgres();
  }

  public List<Member> nodes() {
    return members.nodes();
  }

  public Member balancer() {
    return members.balancer();
  }

  public List<Member> bundles() {
    return members.bundles();
  }

  public Optional<Member> member(String id) {
    return members.all().stream().filter(member -> member.id().equals(id)).findFirst();
  }

  /** Calls {@code follower} after every start and end of a member. */
  void follow(Runnable follower) {
    followers.add(follower);
  }

  /**
   * Ends what an earlier run left behind and makes sure that nobody stands in the way.
   *
   * @throws StartFailure if a port is taken by somebody else
   */
  public void clearTheWay() throws IOException, InterruptedException {
    Files.createDirectories(plan.directory());
    for (var leftover : pids.endLeftovers()) {
      say.accept("ended " + leftover + ", left behind by an earlier run");
    }
    refuseTakenPorts();
    for (var member : members.all()) {
      Files.deleteIfExists(member.log());
    }
    for (var number = 1; number <= plan.nodes(); number++) {
      // A node writes a code to no file that is there already.
      Files.deleteIfExists(plan.setupFile(number));
    }
  }

  /**
   * Returns when every member is ready.
   *
   * @throws StartFailure if one is not; what was started until then still runs
   */
  public void start() throws IOException, InterruptedException, SQLException {
    plan.server().prepare(plan, say);
    startPostgres();
    if (plan.hardening().isPresent()) {
      startHardened(plan.hardening().get());
      return;
    }
    var first = members.nodes().get(0);
    first.start();
    awaitReady(List.of(first));
    // The first has migrated by now. The others wait for nothing but the processor.
    var others = new ArrayList<>(members.nodes().subList(1, plan.nodes()));
    others.add(members.balancer());
    if (!plan.isSecured()) {
      others.addAll(members.bundles());
    }
    others.forEach(Member::start);
    awaitReady(others);
    if (plan.isSecured() && !members.bundles().isEmpty()) {
      startBanksWithToken();
    }
  }

  private void startBanksWithToken() throws IOException, InterruptedException {
    new FirstSteps(plan).take();
    say.accept("there is an administrator, and a token for the bank");
    members.bundles().forEach(Member::start);
    awaitReady(members.bundles());
  }

  /** Nobody but the migration has the owner's password, and a bank needs a token of the nodes. */
  private void startHardened(Hardening with)
      throws IOException, InterruptedException, SQLException {
    provider = Hardening.startProvider(plan);
    Migration.run(
        plan.built("evento.war"),
        plan.directory().resolve("migration"),
        plan.database(),
        with.password("owner"),
        plan.directory().resolve("migration.log"));
    say.accept("the schema is migrated, by a process of its own");
    var serving = new ArrayList<>(members.nodes());
    serving.add(members.balancer());
    serving.forEach(Member::start);
    awaitReady(serving);
    startBanksWithToken();
  }

  private void awaitReady(List<Member> starting) throws InterruptedException {
    for (var member : starting) {
      member.awaitReady(patience);
      say.accept(member + " is ready");
    }
  }

  /** Stops what runs: bundles first, so that they can still say goodbye, PostgreSQL last. */
  public void stop() throws InterruptedException {
    stopTogether(members.bundles());
    stopTogether(List.of(members.balancer()));
    stopTogether(members.nodes());
    stopTogether(members.postgres().stream().toList());
    var open = provider;
    if (open != null) {
      open.close();
    }
  }

  private void startPostgres() throws IOException, InterruptedException, SQLException {
    if (server.isPresent() && members.postgres().isPresent()) {
      server.get().initialise();
      members.postgres().get().start();
      members.postgres().get().awaitReady(patience);
      server.get().prepare(plan.database(), plan.rolesScript());
      say.accept("PostgreSQL is ready");
    }
  }

  private void stopTogether(List<Member> ending) throws InterruptedException {
    var stopping = ending.stream().map(member -> new Thread(() -> stop(member))).toList();
    stopping.forEach(Thread::start);
    for (var thread : stopping) {
      thread.join(2 * STOP_MAX.toMillis());
    }
  }

  private void stop(Member member) {
    try {
      if (member.pid().isPresent()) {
        member.stop(STOP_MAX);
        say.accept(member + " has ended");
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void refuseTakenPorts() {
    var taken = plan.takenPorts();
    if (!taken.isEmpty()) {
      throw new StartFailure(
          "Somebody else listens on port "
              + taken
              + ". Choose others with -Dcluster.port.balancer, .control, .node, .link, .fd,"
              + " .postgres or .bank.");
    }
  }

  private synchronized void changed() {
    try {
      pids.write(members.all());
    } catch (IOException failure) {
      throw new UncheckedIOException("cannot remember the processes", failure);
    }
    followers.forEach(Runnable::run);
  }

  private final class Reporter implements Member.Watcher {

    @Override
    public void started(Member member) {
      changed();
    }

    @Override
    public void endedByItself(Member member, int exitCode) {
      say.accept(
          member + " ended by itself with code " + exitCode + ", its log is " + member.log());
    }

    @Override
    public void ended(Member member) {
      changed();
    }
  }
}
