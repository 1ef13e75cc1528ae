package io.evento.server.catalog;

import io.evento.protocol.DeclareMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of the table {@code component_owner}.
 *
 * <p>Why a component has one owner: the row's key is unique, and it is removed only with the
 * component, under its lock. Whoever declares a component that nobody owns adds the row or waits
 * for the one who is adding it; then the row is read under its lock, which is kept until the
 * declaration is committed. So of two that come at once, on whichever nodes, the second sees the
 * first one's name and is refused, and an operator's change comes before a declaration or after it.
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

  private static final String REMOVE =
      "delete from evento.component_owner where kind = ? and name = ?";

  // Plan: index scans on the primary key (kind, name).
  private static final String OF_CONSUMER =
      """
      select bundle from evento.component_owner
       where kind in ('saga', 'observer') and name = ? and bundle is not null order by kind desc limit 1
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

  /** Who owns a saga or observer. */
  static Optional<String> ofConsumer(Connection open, String name) throws SQLException {
    try (var select = Sql.prepare(open, OF_CONSUMER)) {
      return select.bind(name).first(row -> row.getString(1));
    }
  }

  /** The kind under which the owner is kept: aggregates and boundaries own streams of one name. */
  static String kept(String kind) {
    return kind.equals("boundary") ? "aggregate" : kind;
  }

  static List<String> kinds(String kept) {
    return kept.equals("aggregate") ? List.of("aggregate", "boundary") : List.of(kept);
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
    try (var insert = Sql.prepare(open, ADD)) {
      insert.bind(kind).bind(component.name());
      insert.array("text", kinds(kind)).bind(component.name()).bind(bundle);
      insert.bind(isBound).array("text", kinds(kind)).bind(component.name());
      insert.bind(isBound).bind(component.context()).update();
    }
  }

  /** The owner, locked until the transaction ends; empty if nobody ever declared it. */
  static Optional<Owner> lock(Connection open, String kind, String name) throws SQLException {
    try (var select = Sql.prepare(open, LOCK)) {
      return select.bind(kind).bind(name).first(row -> owner(row, 1));
    }
  }

  static void set(Connection open, String kind, String name, Owner owner) throws SQLException {
    try (var update = Sql.prepare(open, SET)) {
      update.bind(owner.bundle).array("text", owner.contexts).bind(kind).bind(name).update();
    }
  }

  static void remove(Connection open, String kind, String name) throws SQLException {
    try (var delete = Sql.prepare(open, REMOVE)) {
      delete.bind(kind).bind(name).update();
    }
  }

  static List<Owned> all(Connection open) throws SQLException {
    try (var select = Sql.prepare(open, ALL)) {
      return select.rows(row -> new Owned(row.getString(1), row.getString(2), owner(row, 3)));
    }
  }

  private static Owner owner(ResultSet row, int at) throws SQLException {
    return new Owner(row.getString(at), List.of((String[]) row.getArray(at + 1).getArray()));
  }
}
