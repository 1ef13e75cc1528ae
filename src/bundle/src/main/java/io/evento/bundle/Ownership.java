package io.evento.bundle;

import io.evento.bundle.dispatch.Components;
import io.evento.bundle.gateway.OwnerKeys;
import io.evento.protocol.DeclareMessage.ComponentKind;

/**
 * What is known of commands before anything was sent: whether an aggregate or a service has them.
 */
final class Ownership {
  private Ownership() {}

  static OwnerKeys keys(Components components) {
    var ownerKeys = new OwnerKeys();
    for (var component : components.declared()) {
      for (var command : component.commands()) {
        if (component.kind() == ComponentKind.AGGREGATE
            || component.kind() == ComponentKind.BOUNDARY) {
          ownerKeys.aggregate(command.type(), component.name());
        } else {
          ownerKeys.service(command.type());
        }
      }
    }
    return ownerKeys;
  }
}
