package io.evento.bundle.session;

import io.evento.protocol.Rendezvous;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the node for a request, by its session: the owner of the key, else the one of this JVM,
 * else each node in turn. Thread-safe.
 */
final class NodeChoice {
  private final AtomicInteger turn = new AtomicInteger();

  /**
   * @param candidates sessions that can be used, one per node
   * @param owners nodes that own keys, whether there is a session to them or not
   * @param key whose owner should get the request, such as a stream; null if nobody owns it
   * @param avoided node that failed the request last, taken only if there is no other; or null
   * @return null if there is no usable session now
   */
  @Nullable Session choose(
      List<Session> candidates,
      Set<String> owners,
      @Nullable String key,
      @Nullable String avoided) {
    if (key != null && !owners.isEmpty()) {
      var owner = Rendezvous.choose(key, owners).orElse("");
      for (var session : candidates) {
        if (session.node().equals(owner) && !owner.equals(avoided) && session.isUsable()) {
          return session;
        }
      }
    }
    for (var session : candidates) {
      if (session.isInVm() && session.isUsable() && !session.node().equals(avoided)) {
        return session;
      }
    }
    Session last = null;
    var start = turn.getAndIncrement();
    for (var i = 0; i < candidates.size(); i++) {
      var session = candidates.get(Math.floorMod(start + i, candidates.size()));
      if (session.isUsable() && !session.node().equals(avoided)) {
        return session;
      }
      last = session.isUsable() ? session : last;
    }
    return last;
  }
}
