package io.evento.server.security;

import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * What nodes read of {@code credential}, {@code login}, {@code scope}, {@code personal_scope},
 * {@code grant_version}.
 */
final class GrantTable {
  /** A session of a person ends when it was not used for so long. */
  static final Duration IDLE_MAX = Duration.ofMinutes(30);

  /** Of what never ends by itself; three centuries would not fit. */
  private static final long NEVER_SECONDS = TimeUnit.DAYS.toSeconds(3_650);

  private static final String VERSION =
      """
      select n, armed_at is not null from evento.grant_version
      """;

  // One statement, so that scopes are of the same moment as the token that they belong to.
  private static final String TOKENS =
      """
      select c.id, c.hash, p.name,
             extract(epoch from c.expires_at - clock_timestamp())::double precision,
             s."right", s.context, s.type
        from evento.credential c
        join evento.principal p on p.id = c.principal
        left join (select principal, "right", context, type from evento.scope
                   union all
                   select principal, 'personal', context, '*' from evento.personal_scope) s
          on s.principal = p.id
       where c.revoked_at is null and (c.expires_at is null or c.expires_at > clock_timestamp())
       order by c.id, s."right", s.context, s.type
      """;

  private static final String LOGINS =
      """
      select l.id, l.hash, p.name,
             extract(epoch from least(l.ends_at, l.seen_at + ? * interval '1 second')
                                - clock_timestamp())::double precision,
             array_to_string(p.roles, ','), l.csrf
        from evento.login l
        join evento.principal p on p.id = l.principal
      """;

  private static final String NOTE_USES =
      """
      select evento.note_uses_2(?, ?, ?, ? * interval '1 second')
      """;

  /**
   * @param armed whether there ever was an administrator
   */
  record Version(long number, boolean armed) {}

  /** A credential's hash, and the grant. */
  record Held(byte[] hash, Grant grant) {}

  private GrantTable() {}

  static Version version(Connection connection) throws SQLException {
    try (var select = Sql.prepare(connection, VERSION)) {
      return select.one(row -> new Version(row.getLong(1), row.getBoolean(2)));
    }
  }

  static List<Held> all(Connection connection) throws SQLException {
    var held = new ArrayList<Held>(tokens(connection));
    try (var select = Sql.prepare(connection, LOGINS)) {
      held.addAll(select.bind(IDLE_MAX.toSeconds()).rows(GrantTable::login));
    }
    return held;
  }

  private static Collection<Held> tokens(Connection connection) throws SQLException {
    var scopes = new LinkedHashMap<UUID, List<Scope>>();
    var rows = new LinkedHashMap<UUID, Held>();
    try (var select = Sql.prepare(connection, TOKENS)) {
      select.each(
          row -> {
            var id = row.getObject(1, UUID.class);
            var given = scopes.computeIfAbsent(id, first -> new ArrayList<>());
            var right = row.getString(5);
            if (right != null) {
              given.add(
                  new Scope(
                      Right.valueOf(right.toUpperCase(Locale.ROOT)),
                      row.getString(6),
                      row.getString(7)));
            }
            if (!rows.containsKey(id)) {
              rows.put(id, new Held(row.getBytes(2), token(row, id, List.of())));
            }
          });
    }
    rows.replaceAll((id, held) -> withScopes(held, scopes));
    return rows.values();
  }

  private static Held withScopes(Held held, Map<UUID, List<Scope>> scopes) {
    var bare = held.grant();
    return new Held(
        held.hash(),
        new Grant(
            bare.kind(),
            bare.id(),
            bare.name(),
            bare.roles(),
            List.copyOf(scopes.getOrDefault(bare.id(), List.of())),
            bare.endsAt(),
            bare.csrf()));
  }

  private static Grant token(ResultSet row, UUID id, List<Scope> scopes) throws SQLException {
    return new Grant(
        Caller.Kind.BUNDLE, id, row.getString(3), Role.NONE, scopes, endsAt(row, 4), "");
  }

  private static Held login(ResultSet row) throws SQLException {
    var roles = Role.implied(row.getString(5));
    return new Held(
        row.getBytes(2),
        new Grant(
            Caller.Kind.USER,
            row.getObject(1, UUID.class),
            row.getString(3),
            roles,
            Role.scopes(roles),
            endsAt(row, 4),
            row.getString(6)));
  }

  /** The database's time as this process counts it, so that their clocks need not agree. */
  private static long endsAt(ResultSet row, int column) throws SQLException {
    var seconds = row.getDouble(column);
    var left = row.wasNull() ? NEVER_SECONDS : Math.min(seconds, NEVER_SECONDS);
    return System.nanoTime() + (long) (left * TimeUnit.SECONDS.toNanos(1));
  }

  /**
   * @param tokens with the address of the last use of each
   */
  static void noteUses(Connection connection, Map<UUID, String> tokens, Collection<UUID> logins)
      throws SQLException {
    try (var call = Sql.prepare(connection, NOTE_USES)) {
      call.array("uuid", tokens.keySet())
          .array("text", tokens.values())
          .array("uuid", logins)
          .bind(IDLE_MAX.toSeconds())
          .first(row -> 1);
    }
  }
}
