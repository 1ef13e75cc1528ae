package io.evento.server.console;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.Codec;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.ScatterGather;
import io.evento.server.consumer.Consumers;
import io.evento.server.consumer.live.LiveQueries;
import io.evento.server.gateway.live.EventFeeds;
import io.evento.server.routing.command.Router;
import io.evento.server.routing.session.Directory;
import io.evento.server.routing.session.Sessions;
import jakarta.inject.Inject;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What each node knows of itself alone: its processor, its heap, its sessions. Whoever is asked
 * asks the others over their links, and waits for half a second.
 */
@NodeScoped
public class NodeFigures {
  private static final String KIND = "node.figures";

  /** The processor's share is one of at least so long. */
  private static final long SPAN_NANOS = TimeUnit.MILLISECONDS.toNanos(900);

  private final Links links;
  private final Membership membership;
  private final Sessions sessions;
  private final Directory directory;
  private final Router router;
  private final EventFeeds feeds;
  private final LiveQueries liveQueries;
  private final Consumers consumers;

  // Guarded by this.
  private long cpuAt = System.nanoTime();
  private Duration cpu = cpu();
  private @Nullable Double cpuShare;

  @Inject
  public NodeFigures(
      Links links,
      Membership membership,
      Sessions sessions,
      Directory directory,
      Router router,
      EventFeeds feeds,
      LiveQueries liveQueries,
      Consumers consumers) {
    this.links = links;
    this.membership = membership;
    this.sessions = sessions;
    this.directory = directory;
    this.router = router;
    this.feeds = feeds;
    this.liveQueries = liveQueries;
    this.consumers = consumers;
    links.answer(KIND, (peer, body) -> CompletableFuture.completedFuture(Codec.text(own())));
  }

  /**
   * @param cpuShare of all its processors, 0 to 1, over the last second or longer; absent where the
   *     system does not tell
   * @param load of its machine over the last minute; negative where the system does not tell
   * @param heapBytes in use
   * @param threads of its process
   * @param sessions of bundles
   * @param outstanding what these sessions have been asked and have not answered
   * @param loneSessions of them, those whose bundle instance has no other node that is up and keeps
   *     what it has, so that this one goes on serving them
   * @param commands that came in there and have no answer yet; absent, as all that follow, from a
   *     node of an older release, which cannot be drained
   * @param liveReaders of events
   * @param liveQueries subscriptions to queries
   * @param timerMillis since the timer of its application server made its last pass
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Figures(
      @Nullable Double cpuShare,
      int processors,
      double load,
      long heapBytes,
      long heapBytesMax,
      int threads,
      int sessions,
      int outstanding,
      @Nullable Integer loneSessions,
      @Nullable Integer commands,
      @Nullable Integer liveReaders,
      @Nullable Integer liveQueries,
      @Nullable Long timerMillis) {}

  /**
   * @param linkMillis until a node answered, there and back; absent for this one
   */
  record Answer(Figures figures, @Nullable Double linkMillis) {}

  /**
   * Of all nodes that answer in time, by name.
   *
   * @return after half a second at the latest; nobody waits for it
   */
  CompletionStage<Map<String, Answer>> all() {
    var found = new HashMap<String, Answer>();
    found.put(membership.self(), new Answer(own(), null));
    var begun = System.nanoTime();
    return ScatterGather.ask(
            links,
            links.peers(),
            KIND,
            "",
            text ->
                new Answer(
                    Codec.readBody(Figures.class, new Json(text)),
                    (System.nanoTime() - begun) / 1e6))
        .thenApply(
            gathered -> {
              found.putAll(gathered.answers());
              return Map.copyOf(found);
            });
  }

  /** Of one node, if it answers in time; after half a second at the latest. */
  public CompletionStage<Optional<Figures>> of(String node) {
    return all().thenApply(found -> Optional.ofNullable(found.get(node)).map(Answer::figures));
  }

  private Figures own() {
    var others = membership.successors();
    var heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
    var system = ManagementFactory.getOperatingSystemMXBean();
    return new Figures(
        cpuShare(),
        system.getAvailableProcessors(),
        system.getSystemLoadAverage(),
        heap.getUsed(),
        heap.getMax(),
        ManagementFactory.getThreadMXBean().getThreadCount(),
        sessions.all().size(),
        sessions.outstanding(),
        (int)
            sessions.all().stream()
                .filter(session -> !directory.isElsewhere(session, others))
                .count(),
        router.underWay(),
        feeds.count(),
        liveQueries.count(),
        consumers.sinceTimer().toMillis());
  }

  private synchronized @Nullable Double cpuShare() {
    var now = System.nanoTime();
    if (now - cpuAt >= SPAN_NANOS) {
      var used = cpu();
      var could = (double) (now - cpuAt) * Runtime.getRuntime().availableProcessors();
      cpuShare = used.isZero() ? null : Math.min(1, (used.toNanos() - cpu.toNanos()) / could);
      cpuAt = now;
      cpu = used;
    }
    return cpuShare;
  }

  /** Of this process, by what the JDK itself tells: WildFly hides the bean that knows it better. */
  private static Duration cpu() {
    return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
  }
}
