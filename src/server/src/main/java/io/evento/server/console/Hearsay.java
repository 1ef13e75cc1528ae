package io.evento.server.console;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.routing.session.Directory;
import jakarta.inject.Inject;
import java.util.HashSet;

/** Whether this node can tell what nobody hosts. */
@NodeScoped
class Hearsay {
  private final Membership membership;
  private final Directory directory;

  @Inject
  Hearsay(Membership membership, Directory directory) {
    this.membership = membership;
    this.directory = directory;
  }

  /**
   * @throws EventoException {@code conflict} if another node may host what this one has not heard
   *     of, or an older one remember it
   */
  void check() {
    var others = new HashSet<>(membership.members().owners());
    others.remove(membership.self());
    var stranger = membership.ofAnotherRelease();
    if (stranger.isPresent() || !directory.hasHeardFrom(others)) {
      throw new EventoException(
          ErrorCode.CONFLICT,
          stranger
              .map(node -> "nodes of another release are up, " + node.name() + " is one of them")
              .orElse("this node has not heard yet what the others host"));
    }
  }
}
