package io.evento.server.monitor;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.ScatterGather;
import io.evento.server.config.ServerConfig;
import io.evento.server.consumer.Consumers;
import io.evento.server.persistence.Database;
import io.evento.server.routing.session.Availability;
import io.evento.server.telemetry.LabelledValue;
import io.evento.server.telemetry.Metrics;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/** Whether this node is well, for who collects metrics. */
@NodeScoped
public class NodeGauges {
  private static final String ECHO = "echo";
  private static final int ECHO_SECONDS = 5;

  private final Links links;
  private final Membership membership;
  private final Threads threads;
  private volatile Map<String, Double> answerSeconds = Map.of();

  @Inject
  public NodeGauges(
      ServerConfig config,
      Availability availability,
      Membership membership,
      Consumers consumers,
      Database database,
      Links links,
      Threads threads,
      Metrics metrics) {
    this.links = links;
    this.membership = membership;
    this.threads = threads;
    var labels = new LinkedHashMap<String, String>();
    labels.put("node", config.node().name());
    labels.put("release", config.node().release());
    labels.put("java", Runtime.version().toString());
    metrics.gauges(
        "evento_build_info",
        "1, with the node's name, its release and the Java that it runs on",
        () -> List.of(new LabelledValue(labels, 1)));
    metrics.gauge(
        "evento_node_ready",
        "1 if this node may be given work",
        () -> availability.isReady() ? 1 : 0);
    metrics.gauge(
        "evento_heartbeat_age_seconds",
        "since the last heartbeat that the database took",
        () -> seconds(membership.sinceBeat()));
    metrics.gauge(
        "evento_timer_age_seconds",
        "since the application server's timer made its last pass",
        () -> seconds(consumers.sinceTimer()));
    metrics.count(
        "evento_timer_rearms",
        "times that this timer was lost and armed again",
        consumers::timesTimerArmed);
    metrics.gauge(
        "evento_silence_patience_seconds",
        "how much longer than usual this node bears the silence of bundles, as it gets too little CPU",
        () -> threads.delay().patienceNanos() / 1e9);
    pool(database, metrics);
    metrics.gauges(
        "evento_link_silence_seconds",
        "since something was heard of another node over its link",
        () ->
            links.silences().entrySet().stream()
                .map(peer -> LabelledValue.of("peer", peer.getKey(), seconds(peer.getValue())))
                .toList());
    metrics.gauges(
        "evento_link_answer_seconds",
        "how long another node took to answer over its link, there and back, when last asked",
        () ->
            answerSeconds.entrySet().stream()
                .map(peer -> LabelledValue.of("peer", peer.getKey(), peer.getValue()))
                .toList());
    links.answer(ECHO, (peer, body) -> CompletableFuture.completedStage(""));
  }

  private static void pool(Database database, Metrics metrics) {
    metrics.gauges(
        "evento_pool_connections",
        "connections of the node's own pool; of one of the application server it knows nothing",
        () ->
            database
                .poolUse()
                .map(
                    use ->
                        List.of(
                            LabelledValue.of("state", "active", use.active()),
                            LabelledValue.of("state", "idle", use.idle())))
                .orElse(List.of()));
    if (database.poolUse().isEmpty()) {
      return;
    }
    pool(database, metrics, "max", "connections that the pool may have", use -> use.max());
    pool(
        database,
        metrics,
        "waiting",
        "threads that wait for a connection of the pool",
        use -> use.waiting());
    metrics.count(
        "evento_pool_timeouts",
        "waits for a connection that were given up",
        () -> database.poolUse().map(Database.PoolUse::timeouts).orElse(0L));
  }

  private static void pool(
      Database database,
      Metrics metrics,
      String name,
      String help,
      ToDoubleFunction<Database.PoolUse> value) {
    metrics.gauge(
        "evento_pool_" + name,
        help,
        () -> database.poolUse().map(value::applyAsDouble).orElse(0.0));
  }

  private static double seconds(Duration time) {
    return time.toNanos() / 1e9;
  }

  /** Begins to ask the others how long an answer takes; once the links are there. */
  public void start() {
    threads.timer().scheduleWithFixedDelay(this::ask, ECHO_SECONDS, ECHO_SECONDS, TimeUnit.SECONDS);
  }

  private void ask() {
    var begun = System.nanoTime();
    var unused =
        ScatterGather.ask(
                links,
                membership.liveOthers(),
                ECHO,
                "",
                answer -> (System.nanoTime() - begun) / 1e9)
            .thenAccept(gathered -> answerSeconds = gathered.answers());
  }
}
