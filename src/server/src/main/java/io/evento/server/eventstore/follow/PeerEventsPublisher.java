package io.evento.server.eventstore.follow;

import io.evento.protocol.Codec;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import jakarta.inject.Inject;

/** Carries fresh events between the nodes' followers. */
@NodeScoped
public class PeerEventsPublisher implements AppendedEventsPublisher {
  private static final String KIND = "fresh";

  private final Links links;

  @Inject
  public PeerEventsPublisher(Links links, Follower follower) {
    this.links = links;
    links.listen(KIND, (peer, body) -> follower.offer(Codec.read(AppendedEvents.class, body)));
  }

  @Override
  public void publish(AppendedEvents appendedEvents) {
    links.broadcast(KIND, Codec.text(appendedEvents));
  }
}
