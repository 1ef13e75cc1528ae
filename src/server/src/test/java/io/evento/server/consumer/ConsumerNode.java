package io.evento.server.consumer;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.Receipt;
import io.evento.server.Threads;
import io.evento.server.catalog.Catalog;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Node;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.delivery.CheckpointResolver;
import io.evento.server.consumer.delivery.Deliveries;
import io.evento.server.consumer.delivery.FencedDeadLetters;
import io.evento.server.consumer.delivery.LostEvents;
import io.evento.server.consumer.lease.LeaseKeeper;
import io.evento.server.consumer.lease.LeasePasses;
import io.evento.server.consumer.operation.ConsumerMonitor;
import io.evento.server.consumer.operation.DeadLetters;
import io.evento.server.consumer.operation.LetterEdits;
import io.evento.server.consumer.operation.Merges;
import io.evento.server.consumer.operation.Operations;
import io.evento.server.consumer.operation.VersionSwitch;
import io.evento.server.consumer.outbox.DueSenders;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.outbox.ScheduleTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerMetrics;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Hosts;
import io.evento.server.consumer.segment.LeaseConnection;
import io.evento.server.consumer.segment.LeaseTimings;
import io.evento.server.consumer.segment.SegmentTable;
import io.evento.server.consumer.shadow.ComparisonTable;
import io.evento.server.consumer.shadow.HeldCommandTable;
import io.evento.server.consumer.shadow.ShadowOutcomes;
import io.evento.server.consumer.step.Senders;
import io.evento.server.consumer.step.StepLoader;
import io.evento.server.consumer.step.StepParking;
import io.evento.server.consumer.step.StepStore;
import io.evento.server.consumer.step.StepTable;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.eventstore.read.OutcomeReader;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.routing.command.CommandOutcomes;
import io.evento.server.routing.query.ShadowVersions;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.routing.session.Sessions;
import io.evento.server.setting.Setting;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.TestDatabase;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;

/** This room of one node, as the server wires it, but for links: nodes see each other in a list. */
public final class ConsumerNode implements AutoCloseable {
  /** The nodes of a test that see each other. */
  public static final class Cluster {
    public final List<ConsumerNode> nodes = new CopyOnWriteArrayList<>();

    public List<Follower> followers() {
      return nodes.stream().map(node -> node.follower).toList();
    }

    public void freed() {
      nodes.forEach(node -> node.passes.wake());
    }
  }

  public final String name;
  public final UUID incarnation = UUID.randomUUID();
  public final Database database;
  public final Threads threads = new Threads(Thread::new);
  public final Metrics metrics = new Metrics();
  public final Sessions sessions = new Sessions(metrics);
  final OrderReader order;
  public final Follower follower;
  public final SegmentTable segments;
  public final ConsumerMetrics consumerMetrics = new ConsumerMetrics(metrics);
  public final FencedDeadLetters letterWrites;
  public final StepParking stepParking;
  final Merges merges;
  public final LostEvents lostEvents;
  public final Deliveries deliveries;
  public final StepTable steps;
  final OutboxTable outbox;
  public final ScheduleTable schedules;
  public final ComparisonTable comparisons;
  public final ShadowVersions shadowVersions = new ShadowVersions();
  public final DueSenders dueSenders;
  public volatile int deadLettersMax = 1_000;

  /** A live node of another release, if a test has one. */
  public volatile Optional<Node> stranger = Optional.empty();

  public final LeaseKeeper keeper;

  /** Takes commands of the outbox and of schedules to their outcome; a test's own. */
  public volatile Function<CommandMessage.Command, CompletionStage<Receipt>> router =
      ConsumerNode::done;

  public final LeasePasses passes;
  public final Consumers consumers;
  public final ConsumerMonitor monitor;
  public final Operations operations;
  public final VersionSwitch versionSwitch;
  public final DeadLetters letters;
  public final Catalog catalog;
  private final LeaseConnection connection;
  private final Cluster cluster;

  public ConsumerNode(
      TestDatabase where,
      String name,
      Cluster cluster,
      LeaseTimings leaseTimings,
      LongSupplier clock) {
    this.name = name;
    this.cluster = cluster;
    var config = NodeConfig.of(where, name);
    database = new Database(config);
    order = new OrderReader(database);
    var outcomes = new OutcomeReader(database);
    follower = new Follower(order, threads, metrics);
    connection = new LeaseConnection(database);
    segments = new SegmentTable(connection);
    steps = new StepTable(database);
    outbox = new OutboxTable(database);
    schedules = new ScheduleTable(database);
    comparisons = new ComparisonTable(database);
    catalog = new Catalog(database, Setting::standard, threads);
    var shadowOutcomes =
        new ShadowOutcomes(
            new HeldCommandTable(database),
            comparisons,
            new CommandOutcomes(outcomes, threads),
            outcomes,
            outbox,
            shadowVersions,
            threads);
    dueSenders =
        new DueSenders(
            outbox,
            schedules,
            incarnation,
            (entry, command) -> router.apply(command),
            () -> cluster.nodes.stream().map(node -> node.incarnation).toList(),
            threads);
    var checkpointResolver = new CheckpointResolver(order, follower);
    var table = new DeadLetterTable(database, incarnation);
    letterWrites = new FencedDeadLetters(table, order, consumerMetrics, () -> deadLettersMax);
    stepParking = new StepParking(database, table, letterWrites, steps, outbox, schedules);
    merges = new Merges(database, incarnation);
    lostEvents = new LostEvents(database, incarnation);
    deliveries =
        new Deliveries(
            threads,
            follower,
            checkpointResolver,
            new Senders(
                new StepLoader(steps, outbox, schedules, table, letterWrites),
                new StepStore(
                    steps,
                    stepParking,
                    dueSenders,
                    shadowOutcomes,
                    outcomes,
                    catalog,
                    incarnation,
                    consumerMetrics),
                stepParking,
                table,
                letterWrites,
                metrics,
                threads),
            table,
            merges,
            lostEvents,
            consumerMetrics);
    keeper =
        new LeaseKeeper(
            leaseTimings,
            name,
            incarnation,
            this::hosts,
            session -> sessions.all().contains(session),
            new ConsumerTable(connection),
            segments,
            order,
            deliveries,
            consumerMetrics,
            cluster::freed,
            clock);
    passes =
        new LeasePasses(
            keeper, deliveries, sessions, new Links(config, database, threads, metrics), threads);
    consumers = new Consumers(passes, deliveries, dueSenders, shadowOutcomes, steps);
    monitor =
        new ConsumerMonitor(
            merges, passes, segments, order, database, shadowVersions, metrics, threads);
    operations = new Operations(database, order, passes);
    versionSwitch = new VersionSwitch(database, operations, passes, Duration.ofSeconds(12));
    this.letters =
        new DeadLetters(
            database,
            passes,
            new LetterEdits(order, catalog, Setting::standard),
            () -> stranger,
            () -> deadLettersMax);
    cluster.nodes.add(this);
  }

  public ConsumerNode(TestDatabase where, String name, Cluster cluster) {
    this(where, name, cluster, LeaseTimings.STANDARD, System::nanoTime);
  }

  /** Follows, delivers, and passes every second, as timers would have it. */
  public ConsumerNode start() {
    follower.start();
    consumers.start();
    threads.timer().scheduleAtFixedRate(passes::wake, 1_000, 1_000, TimeUnit.MILLISECONDS);
    monitor.start();
    return this;
  }

  /** The others see this node no more. */
  public void disappear() {
    cluster.nodes.remove(this);
  }

  public void appear() {
    cluster.nodes.add(this);
  }

  /** Gives everything back and counts no longer. */
  public void leave() {
    disappear();
    consumers.drain();
  }

  private static CompletionStage<Receipt> done(CommandMessage.Command command) {
    return CompletableFuture.completedStage(new Receipt(command.id(), null, null, false));
  }

  private Map<ConsumerId, Hosts.Of> hosts() {
    var found = new TreeMap<ConsumerId, Hosts.Of>();
    for (var session : sessions.all()) {
      if (session.isOpen()) {
        for (var component : session.components()) {
          found.computeIfAbsent(ConsumerId.of(component), id -> hostsOf(id));
        }
      }
    }
    return found;
  }

  private Hosts.Of hostsOf(ConsumerId consumer) {
    var nodes = new HashSet<String>();
    var instances = new HashSet<String>();
    for (var node : cluster.nodes) {
      for (var session : node.hosting(consumer)) {
        nodes.add(node.name);
        instances.add(session.instance().toString());
      }
    }
    var mine = hosting(consumer);
    return new Hosts.Of(
        Hosts.declaration(mine.get(mine.size() - 1), consumer),
        mine,
        Set.copyOf(nodes),
        Set.copyOf(instances));
  }

  private List<BundleSession> hosting(ConsumerId consumer) {
    return sessions.all().stream()
        .filter(session -> session.isOpen() && session.consumers().contains(consumer.wire()))
        .toList();
  }

  @Override
  public void close() {
    disappear();
    threads.stop();
    connection.close();
    database.close();
  }
}
