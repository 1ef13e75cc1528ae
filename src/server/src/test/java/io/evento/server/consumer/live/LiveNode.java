package io.evento.server.consumer.live;

import io.evento.server.Threads;
import io.evento.server.consumer.lease.OwnedSegments;
import io.evento.server.fixture.TestGrants;
import io.evento.server.routing.QueryNode;
import io.evento.server.security.OpenMode;
import io.evento.server.security.Shares;
import io.evento.server.setting.Setting;
import io.evento.server.telemetry.Metrics;

/** The subscriptions of one node, as the server wires them. */
public final class LiveNode {
  private LiveNode() {}

  /**
   * @param ownedSegments what that node delivers
   */
  public static LiveQueries of(QueryNode node, OwnedSegments ownedSegments, Threads threads) {
    var updateForwarder = new UpdateForwarder(node.sessions, ownedSegments, node.links, threads);
    return new LiveQueries(
        node.queries,
        updateForwarder,
        node.links,
        threads,
        node.settings,
        new Shares(Setting::standard),
        new TestGrants(node.database, threads, new OpenMode(node.config)),
        new Metrics());
  }
}
