package io.evento.server.consumer.segment;

import io.evento.protocol.DeclareMessage;
import io.evento.server.persistence.Sql;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Comparator;

/** A consumer: its name and version. */
public record ConsumerId(String name, int version) implements Comparable<ConsumerId>, Sql.Columns {
  private static final Comparator<ConsumerId> ORDER =
      Comparator.comparing(ConsumerId::name).thenComparing(ConsumerId::version);

  public static ConsumerId of(DeclareMessage.Component component) {
    return new ConsumerId(component.name(), component.version());
  }

  /** Reads a row whose first two columns are name and version. */
  public static ConsumerId read(ResultSet row) throws SQLException {
    return new ConsumerId(row.getString(1), row.getInt(2));
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
  public void bindTo(Sql sql) throws SQLException {
    sql.bind(name).bind(version);
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
