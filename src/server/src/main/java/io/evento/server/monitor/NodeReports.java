package io.evento.server.monitor;

import io.evento.protocol.Codec;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.ScatterGather;
import io.evento.server.consumer.Consumers;
import io.evento.server.persistence.Database;
import io.evento.server.routing.command.Router;
import io.evento.server.telemetry.TelemetryWriter;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Asks the nodes what each knows of itself alone. */
@NodeScoped
public class NodeReports {
  private static final String KIND = "telemetry";

  private static final int SECONDS_MAX = 60;

  private final Links links;
  private final Membership membership;
  private final TelemetryWriter telemetry;
  private final Router router;
  private final Consumers consumers;
  private final Database database;
  private final DatabaseGauges databaseGauges;

  @Inject
  public NodeReports(
      Links links,
      Membership membership,
      TelemetryWriter telemetry,
      Router router,
      Consumers consumers,
      Database database,
      DatabaseGauges databaseGauges) {
    this.links = links;
    this.membership = membership;
    this.telemetry = telemetry;
    this.router = router;
    this.consumers = consumers;
    this.database = database;
    this.databaseGauges = databaseGauges;
    links.answer(KIND, (peer, seconds) -> answer(seconds));
  }

  /**
   * @param reports by the node's name
   * @param unreachable live nodes that did not answer in time, or are of a release that cannot
   */
  public record Gathered(Map<String, NodeReport> reports, List<String> unreachable) {}

  private CompletionStage<String> answer(String seconds) {
    return CompletableFuture.completedStage(
        Codec.text(own(Math.min(SECONDS_MAX, Integer.parseInt(seconds)))));
  }

  /** What this node says of itself. */
  NodeReport own(int seconds) {
    return new NodeReport(
        router.underWay(),
        consumers.segments(),
        database
            .poolUse()
            .map(use -> new NodeReport.Pool(use.active(), use.idle(), use.waiting(), use.max()))
            .orElse(null),
        consumers.sinceTimer().toMillis(),
        membership.sinceBeat().toMillis(),
        database.unfit().orElse(null),
        databaseGauges.clockAhead().map(Duration::toMillis).orElse(null),
        telemetry.seconds(seconds));
  }

  /**
   * Asks all live nodes.
   *
   * @param seconds of how many each is to tell what it did
   * @return after half a second at the latest
   */
  CompletionStage<Gathered> gather(int seconds) {
    var reports = new TreeMap<String, NodeReport>();
    reports.put(membership.self(), own(seconds));
    return ScatterGather.ask(
            links,
            membership.liveOthers(),
            KIND,
            Integer.toString(seconds),
            text -> Codec.read(NodeReport.class, text))
        .thenApply(
            gathered -> {
              reports.putAll(gathered.answers());
              return new Gathered(reports, gathered.silent());
            });
  }
}
