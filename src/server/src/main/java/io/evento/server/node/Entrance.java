package io.evento.server.node;

import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.Node;
import io.evento.server.security.Grants;
import io.evento.server.security.OpenMode;
import jakarta.inject.Inject;

/** Sees to it that a node lets nobody in before it knows whom, and stays so. */
@NodeScoped
public class Entrance {
  private final OpenMode mode;
  private final Grants grants;
  private final Membership membership;

  @Inject
  public Entrance(OpenMode mode, Grants grants, Membership membership) {
    this.mode = mode;
    this.grants = grants;
    this.membership = membership;
  }

  /**
   * @throws IllegalStateException if this node must not be open, by its own configuration
   */
  void checkItself() {
    mode.checkItself();
  }

  /** The tables are there from now on. */
  void start() {
    grants.start();
  }

  /**
   * Looks at all that there is to look at, and at each change from then on.
   *
   * @throws IllegalStateException if credentials or members were not read yet, or if this node must
   *     not be open
   */
  void check() {
    if (!grants.isFresh()
        || !membership.isBeating()
        || membership.members().find(membership.self()).isEmpty()) {
      throw new IllegalStateException("credentials and members were not read yet");
    }
    look();
    mode.refusal()
        .ifPresent(
            why -> {
              throw new IllegalStateException(why);
            });
    membership.onChange(members -> look());
    grants.onChange(this::look);
  }

  private void look() {
    mode.look(
        membership.members().nodes().stream().filter(Node::isLive).map(Node::url).toList(),
        grants.isArmed());
  }
}
