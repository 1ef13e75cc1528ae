package io.evento.server.security;

import io.evento.server.persistence.Sql;
import java.sql.SQLException;
import java.util.Locale;

/**
 * Who does something, as the audit names him; the last parameters of each function that changes
 * rights.
 *
 * @param who such as {@code user ada}
 * @param node by which
 * @param address of his peer
 */
public record Actor(String who, String node, String address) implements Sql.Columns {

  /** A caller of this node. */
  public static Actor of(Caller caller, String node) {
    return new Actor(nameOf(caller), node, caller.address());
  }

  /** As audits name a caller. */
  public static String nameOf(Caller caller) {
    return caller.kind() == Caller.Kind.DEVELOPER || caller.kind() == Caller.Kind.NOBODY
        ? caller.name()
        : caller.kind().name().toLowerCase(Locale.ROOT) + " " + caller.name();
  }

  @Override
  public void bindTo(Sql sql) throws SQLException {
    sql.bind(who).bind(node).bind(address);
  }
}
