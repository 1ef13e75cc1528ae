package io.evento.server.catalog;

import io.evento.protocol.DeclareMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of the table {@code component_owner}.
 *
 * <p>Why a component has one owner: the row's key is unique, and it is never removed. Whoever
 * declares a component that nobody owns adds the row or waits for the one who is adding it; then
 * the row is read under its lock, which is kept until the declaration is committed. So of two that
 * come at once, on whichever nodes, the second sees the first one's name and is refused, and an
 * operator's change comes before a declaration or after it.
 */
final class OwnerTable {
  // A component that an older node has declared belongs to whoever declared it there.
  private static final String ADD =
      """
      insert into evento.component_owner (kind, name, bundle, contexts)
      select ?, ?,
             coalesce((select c.bundle from evento.component c
                        where c.kind = any(?) and c.name = ?
                        order by c.declared_at desc limit 1), ?),
             coalesce((select array_agg(distinct c.context) from evento.component c
                        where ? and c.kind = any(?) and c.name = ?),
                      case when ? then array[?] else '{}' end)
      on conflict (kind, name) do nothing
      """;

  private static final String LOCK =
      """
      select bundle, contexts from evento.component_owner
       where kind = ? and name = ? for no key update
      """;

  private static final String SET =
      """
      update evento.component_owner set bundle = ?, contexts = ? where kind = ? and name = ?
      """;

  private static final String ALL =
      "select kind, name, bundle, contexts from evento.component_owner";

  /**
   * To whom a component belongs.
   *
   * @param bundle null if it is given to whoever declares it first
   * @param contexts in which it may be declared; empty for any
   */
  record Owner(@Nullable String bundle, List<String> contexts) {}

  /** The owner of a component, by the kind under which it is kept. */
  record Owned(String kind, String name, Owner owner) {}

  private OwnerTable() {}

  /** The kind under which the owner is kept: aggregates and boundaries own streams of one name. */
  static String kept(String kind) {
    return kind.equals("boundary") ? "aggregate" : kind;
  }

  private static String[] kinds(String kept) {
    return kept.equals("aggregate") ? new String[] {"aggregate", "boundary"} : new String[] {kept};
  }

  /**
   * Makes sure that a bundle may declare a component, as the first to do so or as its owner.
   *
   * @throws EventoException {@code declaration-conflict} if it belongs to another bundle, or is not
   *     to be declared in that context
   */
  static void claim(Connection open, String bundle, DeclareMessage.Component component)
      throws SQLException {
    var kind = kept(component.kind().wire());
    var found = lock(open, kind, component.name());
    if (found.isEmpty()) {
      add(open, kind, bundle, component);
      found = lock(open, kind, component.name());
    }
    var owner = found.orElseThrow();
    if (owner.bundle == null) {
      set(open, kind, component.name(), new Owner(bundle, owner.contexts));
    } else if (!owner.bundle.equals(bundle)) {
      throw new EventoException(
          ErrorCode.DECLARATION_CONFLICT,
          "the "
              + component.kind()
              + " "
              + component.name()
              + " belongs to the bundle "
              + owner.bundle
              + ": "
              + bundle
              + " has to use another name, or an operator hands it over (POST "
              + path(component)
              + "/owner)");
    }
    if (!owner.contexts.isEmpty() && !owner.contexts.contains(component.context())) {
      throw new EventoException(
          ErrorCode.DECLARATION_CONFLICT,
          "the "
              + component.kind()
              + " "
              + component.name()
              + " is declared in context "
              + String.join(", ", owner.contexts)
              + " and not in "
              + component.context()
              + ": an operator has to allow that (POST "
              + path(component)
              + "/contexts)");
    }
  }

  private static String path(DeclareMessage.Component component) {
    return "/evento/api/catalog/components/" + component.kind() + "/" + component.name();
  }

  private static void add(
      Connection open, String kind, String bundle, DeclareMessage.Component component)
      throws SQLException {
    var isBound = component.consumes() == null;
    try (var insert = open.prepareStatement(ADD)) {
      var kinds = open.createArrayOf("text", kinds(kind));
      insert.setString(1, kind);
      insert.setString(2, component.name());
      insert.setArray(3, kinds);
      insert.setString(4, component.name());
      insert.setString(5, bundle);
      insert.setBoolean(6, isBound);
      insert.setArray(7, kinds);
      insert.setString(8, component.name());
      insert.setBoolean(9, isBound);
      insert.setString(10, component.context());
      insert.executeUpdate();
    }
  }

  /** The owner, locked until the transaction ends; empty if nobody ever declared it. */
  static Optional<Owner> lock(Connection open, String kind, String name) throws SQLException {
    try (var select = open.prepareStatement(LOCK)) {
      select.setString(1, kind);
      select.setString(2, name);
      try (var row = select.executeQuery()) {
        return row.next() ? Optional.of(owner(row, 1)) : Optional.empty();
      }
    }
  }

  static void set(Connection open, String kind, String name, Owner owner) throws SQLException {
    try (PreparedStatement update = open.prepareStatement(SET)) {
      update.setString(1, owner.bundle);
      update.setArray(2, open.createArrayOf("text", owner.contexts.toArray()));
      update.setString(3, kind);
      update.setString(4, name);
      update.executeUpdate();
    }
  }

  static List<Owned> all(Connection open) throws SQLException {
    try (var select = open.prepareStatement(ALL);
        var row = select.executeQuery()) {
      var found = new ArrayList<Owned>();
      while (row.next()) {
        found.add(new Owned(row.getString(1), row.getString(2), owner(row, 3)));
      }
      return found;
    }
  }

  private static Owner owner(ResultSet row, int at) throws SQLException {
    return new Owner(row.getString(at), List.of((String[]) row.getArray(at + 1).getArray()));
  }
}
