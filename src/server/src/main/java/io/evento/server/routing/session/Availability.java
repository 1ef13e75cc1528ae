package io.evento.server.routing.session;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.NodeState;
import jakarta.inject.Inject;
import java.util.HashSet;
import java.util.UUID;

/**
 * Whether this node can serve: it started up, reaches the database, and can reach whoever handles
 * what it is given. A node that was frozen finds the database again at once, and its links and
 * sessions seconds later. One that leaves serves on until {@link #close}, but is not ready:
 * balancers send it work for as long as they have not asked.
 */
@NodeScoped
public class Availability {
  private final Membership membership;
  private final Directory directory;
  private final Sessions sessions;
  private volatile boolean isLeaving;
  private volatile boolean isClosed;

  @Inject
  public Availability(Membership membership, Directory directory, Sessions sessions) {
    this.membership = membership;
    this.directory = directory;
    this.sessions = sessions;
  }

  public boolean isServing() {
    var state = membership.state();
    return (state == NodeState.UP || (state == NodeState.DRAINING && !isClosed))
        && membership.isBeating()
        && !isCutOff();
  }

  /** Whether it should be sent work. */
  public boolean isReady() {
    return membership.state() == NodeState.UP && isServing();
  }

  /** The process ends: no session begins any more. */
  public void leave() {
    isLeaving = true;
  }

  /**
   * Whether a bundle instance may begin a session: a node that drains at an operator's wish takes
   * those that have no other node.
   *
   * @throws EventoException {@code unavailable}
   */
  public void checkWelcome(UUID instance) {
    var state = membership.state();
    if (state != NodeState.UP
        && (state != NodeState.DRAINING
            || isLeaving
            || directory.isConnected(instance, membership.successors()))) {
      throw new EventoException(
          ErrorCode.UNAVAILABLE, "this node is " + state.wire() + "; try another");
    }
  }

  /** Refuses what comes to a leaving node from now on. */
  public void close() {
    isClosed = true;
  }

  /** Nobody hosts anything here, and none of the others, who may, has said what it hosts. */
  private boolean isCutOff() {
    return !sessions.hostAnything()
        && membership.members().owners().size() > 1
        && !directory.hearsAnybody();
  }

  /**
   * @throws EventoException {@code unavailable}
   */
  public void check() {
    if (!isServing()) {
      throw new EventoException(ErrorCode.UNAVAILABLE, reason() + "; try another");
    }
  }

  /**
   * The end of a request that nobody is known to handle. Only a node that hears all others can say
   * that nobody does; for a moment after a start, a freeze or a loss it cannot.
   *
   * @param what is not handled, as a sentence goes on after "no live session"
   */
  public EventoException noHandler(String what) {
    var others = new HashSet<>(membership.members().owners());
    others.remove(membership.self());
    return directory.isComplete(others)
        ? new EventoException(ErrorCode.NO_HANDLER, "no live session " + what)
        : new EventoException(
            ErrorCode.UNAVAILABLE,
            "no live session that this node knows of "
                + what
                + ", and it does not hear all others; try another");
  }

  private String reason() {
    var state = membership.state();
    if (state != NodeState.UP && (state != NodeState.DRAINING || isClosed)) {
      return "this node is " + state.wire();
    }
    return membership.isBeating()
        ? "this node hears no other node"
        : "this node cannot reach the database";
  }
}
