package io.evento.server.consumer;

import io.evento.protocol.RecordedEvent;
import io.evento.server.routing.BundleSession;
import java.util.Set;

/**
 * Which events a consumer is given.
 *
 * @param contexts empty for all
 * @param types empty for all
 */
record Filter(Set<String> contexts, Set<String> types) {
  static final Filter ALL = new Filter(Set.of(), Set.of());

  /** The session's own: what it does not handle it is not given. */
  static Filter of(BundleSession session, ConsumerId consumer) {
    var consumes = Hosts.declaration(session, consumer).consumes();
    return consumes == null
        ? ALL
        : new Filter(Set.copyOf(consumes.contexts()), Set.copyOf(consumes.types()));
  }

  boolean accepts(RecordedEvent event) {
    return (types.isEmpty() || types.contains(event.type()))
        && (contexts.isEmpty() || contexts.contains(event.context()));
  }
}
