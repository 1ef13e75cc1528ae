package io.evento.server.consumer.live;

import io.evento.server.Threads;
import io.evento.server.consumer.Holdings;
import io.evento.server.routing.QueryNode;
import io.evento.server.telemetry.Metrics;

/** The subscriptions of one node, as the server wires them. */
public final class LiveNode {
  private LiveNode() {}

  /**
   * @param holdings what that node delivers
   */
  public static LiveQueries of(QueryNode node, Holdings holdings, Threads threads) {
    var watching = new Watching(node.sessions, holdings, node.links, threads);
    return new LiveQueries(
        node.queries, watching, node.links, threads, node.settings, new Metrics());
  }
}
