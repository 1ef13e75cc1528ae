package io.evento.server.consumer;

import io.evento.protocol.Message;
import io.evento.protocol.Receipt;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.eventstore.EventReader;
import io.evento.server.eventstore.Follower;
import io.evento.server.persistence.Database;
import io.evento.server.routing.BundleSession;
import io.evento.server.routing.CommandOutcomes;
import io.evento.server.routing.Sessions;
import io.evento.server.routing.ShadowVersions;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.TestDatabase;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
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
final class ConsumerNode implements AutoCloseable {
  /** The nodes of a test that see each other. */
  static final class Cluster {
    final List<ConsumerNode> nodes = new CopyOnWriteArrayList<>();

    List<Follower> followers() {
      return nodes.stream().map(node -> node.follower).toList();
    }

    void freed() {
      nodes.forEach(node -> node.passes.wake());
    }
  }

  final String name;
  final UUID incarnation = UUID.randomUUID();
  final Database database;
  final Threads threads = new Threads(Thread::new);
  final Metrics metrics = new Metrics();
  final Sessions sessions = new Sessions(metrics);
  final EventReader reader;
  final Follower follower;
  final SegmentTable segments;
  final ConsumerMetrics consumerMetrics = new ConsumerMetrics(metrics);
  final Parking parking;
  final StepParking stepParking;
  final Merges merges;
  final LostEvents lostEvents;
  final Deliveries deliveries;
  final StepTable steps;
  final OutboxTable outbox;
  final ScheduleTable schedules;
  final ShadowTable shadows;
  final ShadowVersions shadowVersions = new ShadowVersions();
  final OutboxSenders outboxSenders;
  volatile int deadLettersMax = 1_000;
  final LeaseKeeper keeper;

  /** Takes commands of the outbox and of schedules to their outcome; a test's own. */
  volatile Function<Message.Command, CompletionStage<Receipt>> router = ConsumerNode::done;

  final LeasePasses passes;
  final Consumers consumers;
  final ConsumerMonitor monitor;
  final Operations operations;
  final VersionSwitch versionSwitch;
  final DeadLetters letters;
  private final LeaseConnection connection;
  private final Cluster cluster;

  ConsumerNode(
      TestDatabase where,
      String name,
      Cluster cluster,
      LeaseTimings leaseTimings,
      LongSupplier clock) {
    this.name = name;
    this.cluster = cluster;
    var config = where.config(name);
    database = new Database(config);
    reader = new EventReader(database);
    follower = new Follower(reader, threads, metrics);
    connection = new LeaseConnection(database);
    segments = new SegmentTable(connection);
    steps = new StepTable(database);
    outbox = new OutboxTable(database);
    schedules = new ScheduleTable(database);
    shadows = new ShadowTable(database);
    var shadowOutcomes =
        new ShadowOutcomes(
            shadows, new CommandOutcomes(reader, threads), reader, outbox, shadowVersions, threads);
    outboxSenders =
        new OutboxSenders(
            outbox,
            schedules,
            incarnation,
            command -> router.apply(command),
            () -> cluster.nodes.stream().map(node -> node.incarnation).toList(),
            threads);
    var checkpointResolver = new CheckpointResolver(reader, follower);
    var table = new DeadLetterTable(database, incarnation);
    parking = new Parking(table, reader, checkpointResolver, consumerMetrics, () -> deadLettersMax);
    stepParking =
        new StepParking(
            database,
            table,
            steps,
            outbox,
            schedules,
            reader,
            consumerMetrics,
            () -> deadLettersMax);
    merges = new Merges(database, incarnation);
    lostEvents = new LostEvents(database, incarnation);
    deliveries =
        new Deliveries(
            threads,
            follower,
            checkpointResolver,
            new Steps(
                steps,
                outbox,
                schedules,
                outboxSenders,
                shadowOutcomes,
                stepParking,
                reader,
                incarnation,
                threads,
                consumerMetrics),
            parking,
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
            reader,
            deliveries,
            consumerMetrics,
            cluster::freed,
            clock);
    passes =
        new LeasePasses(
            keeper, deliveries, sessions, new Links(config, database, threads, metrics), threads);
    consumers = new Consumers(passes, deliveries, outboxSenders, shadowOutcomes, steps);
    monitor =
        new ConsumerMonitor(
            merges, passes, segments, reader, database, shadowVersions, metrics, threads);
    operations = new Operations(database, reader, passes);
    versionSwitch = new VersionSwitch(database, operations, passes, Duration.ofSeconds(12));
    this.letters = new DeadLetters(database, passes, () -> deadLettersMax);
    cluster.nodes.add(this);
  }

  ConsumerNode(TestDatabase where, String name, Cluster cluster) {
    this(where, name, cluster, LeaseTimings.STANDARD, System::nanoTime);
  }

  /** Follows, delivers, and passes every second, as timers would have it. */
  ConsumerNode start() {
    follower.start();
    consumers.start();
    threads.timer().scheduleAtFixedRate(passes::wake, 1_000, 1_000, TimeUnit.MILLISECONDS);
    monitor.start();
    return this;
  }

  /** The others see this node no more. */
  void disappear() {
    cluster.nodes.remove(this);
  }

  void appear() {
    cluster.nodes.add(this);
  }

  /** Gives everything back and counts no longer. */
  void leave() {
    disappear();
    consumers.drain();
  }

  private static CompletionStage<Receipt> done(Message.Command command) {
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
