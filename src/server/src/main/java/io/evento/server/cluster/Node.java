package io.evento.server.cluster;

import io.evento.protocol.SessionMessage;
import java.util.UUID;

/**
 * A node as the table shows it.
 *
 * @param incarnation of the process; another one after each start
 * @param url where bundles reach it
 * @param state by the database's clock: {@code GONE} once its last beat is too old
 * @param isAskedToDrain whether an operator asked this process to hand over what it has
 */
public record Node(
    String name,
    UUID incarnation,
    String url,
    String release,
    NodeState state,
    boolean isAskedToDrain) {
  public boolean isLive() {
    return state != NodeState.GONE;
  }

  /** As bundles are told. */
  public SessionMessage.Member toMember() {
    return new SessionMessage.Member(name, url, state.wire(), incarnation);
  }
}
