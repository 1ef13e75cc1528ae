package io.evento.server.consumer.segment;

import io.evento.protocol.DeclareMessage;
import java.util.Comparator;

/** A consumer: its name and version. */
public record ConsumerId(String name, int version) implements Comparable<ConsumerId> {
  private static final Comparator<ConsumerId> ORDER =
      Comparator.comparing(ConsumerId::name).thenComparing(ConsumerId::version);

  public static ConsumerId of(DeclareMessage.Component component) {
    return new ConsumerId(component.name(), component.version());
  }

  /** The inverse of {@link #wire}. */
  public static ConsumerId of(String wire) {
    var colon = wire.lastIndexOf(':');
    return new ConsumerId(wire.substring(0, colon), Integer.parseInt(wire.substring(colon + 1)));
  }

  /** As messages name it: {@code accounts:1}. */
  public String wire() {
    return name + ':' + version;
  }

  @Override
  public int compareTo(ConsumerId other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return wire();
  }
}
