package io.evento.testing;

import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.DeclareMessage.QueryType;
import java.util.List;

/** What bundles of tests declare. */
public final class Components {
  private Components() {}

  /** A version of the projector {@code accounts}, which reads everything, with its projection. */
  public static Component accounts(int version, int segments, String... queries) {
    return new Component(
        ComponentKind.PROJECTOR,
        "accounts",
        version,
        "bank",
        List.of(),
        List.of(),
        List.of(queries).stream().map(query -> new QueryType(query, null, null)).toList(),
        new Consumption(List.of(), List.of(), "beginning", segments),
        null);
  }
}
