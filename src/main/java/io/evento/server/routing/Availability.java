package io.evento.server.routing;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.NodeState;
import jakarta.inject.Inject;

/** Whether this node can serve: it started up, does not drain, and reaches the database. */
@NodeScoped
public class Availability {
  private final Membership membership;

  @Inject
  public Availability(Membership membership) {
    this.membership = membership;
  }

  public boolean isServing() {
    return membership.state() == NodeState.UP && membership.isBeating();
  }

  /**
   * @throws EventoException {@code unavailable}
   */
  void check() {
    if (!isServing()) {
      throw new EventoException(
          ErrorCode.UNAVAILABLE,
          membership.state() == NodeState.UP
              ? "this node cannot reach the database; try another"
              : "this node is " + membership.state().wire() + "; try another");
    }
  }
}
