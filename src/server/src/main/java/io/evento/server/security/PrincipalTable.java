package io.evento.server.security;

import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of the tables {@code principal}, {@code credential}, {@code scope}, {@code
 * personal_scope}, {@code login} and {@code sign_in_failure} for administration and for signing in.
 * Writes by functions of the database alone, which audit what they do; blocks on it.
 */
@NodeScoped
class PrincipalTable {
  private static final String USERS =
      """
      select name, array_to_string(roles, ','), created_at, signed_in_at, locked_at, oidc_issuer,
             (select count(*) from evento.login l
               where l.principal = p.id and l.ends_at > clock_timestamp())
        from evento.principal p where kind = 'user' order by name
      """;

  private static final String SESSIONS =
      """
      select l.id, l.created_at, l.seen_at, l.ends_at, l.address
        from evento.principal p
        left join evento.login l
          on l.principal = p.id and l.ends_at > clock_timestamp() and l.id > ?
       where p.kind = 'user' and p.name = ? order by l.id limit ?
      """;

  private static final String PASSWORD =
      """
      select password from evento.principal
       where kind = 'user' and name = ? and password is not null
      """;

  private static final String WAIT =
      """
      select evento.sign_in_wait_1(?, ?)
      """;

  private static final String SCOPES =
      """
      select p.name, s."right", s.context, s.type
        from evento.principal p
        left join (select principal, "right", context, type from evento.scope
                   union all
                   select principal, 'personal', context, '*' from evento.personal_scope) s
          on s.principal = p.id
       where p.kind = 'bundle' order by p.name, s."right", s.context, s.type
      """;

  private static final String TOKENS =
      """
      select p.name, c.prefix, c.created_at, c.expires_at, c.revoked_at, c.last_used_at,
             c.last_used_from,
             c.revoked_at is null and (c.expires_at is null or c.expires_at > clock_timestamp())
        from evento.credential c join evento.principal p on p.id = c.principal
       order by p.name, c.created_at
      """;

  private static final String RIGHTS_OF =
      """
      select (select count(*) from evento.credential c
               where c.principal = p.id and c.revoked_at is null
                 and (c.expires_at is null or c.expires_at > clock_timestamp())),
             s."right", s.context, s.type
        from evento.principal p
        left join (select principal, "right", context, type from evento.scope
                   union all
                   select principal, 'personal', context, '*' from evento.personal_scope) s
          on s.principal = p.id
       where p.kind = 'bundle' and p.name = ? order by s."right", s.context, s.type
      """;

  private static final String CREATE_USER =
      """
      select evento.create_user_1(?, ?, ?, ?, ?, ?)
      """;

  private static final String SET_ROLES =
      """
      select evento.set_roles_2(?, ?, string_to_array(?, ','), ?, ?, ?)
      """;

  private static final String SET_PASSWORD =
      """
      select evento.set_password_1(?, ?, ?, ?, ?)
      """;

  private static final String REMOVE_USER =
      """
      select evento.remove_user_1(?, ?, ?, ?)
      """;

  private static final String LOCK_USER =
      """
      select evento.lock_user_1(?, ?, ?, ?)
      """;

  private static final String UNLOCK_USER =
      """
      select evento.unlock_user_1(?, ?, ?, ?)
      """;

  private static final String END_LOGINS =
      """
      select evento.end_logins_1(?, ?, ?, ?, ?)
      """;

  private static final String CREATE_TOKEN =
      """
      select evento.create_token_2(?, ?, ?, ?::double precision * interval '1 second', ?, ?, ?, ?, ?, ?)
      """;

  private static final String CREATE_TOKEN_WITH_THE_SCOPES_THAT_ARE =
      """
      select evento.create_token_2(?, ?, ?, ?::double precision * interval '1 second', null, null, null, ?, ?, ?)
      """;

  private static final String REVOKE_TOKEN =
      """
      select evento.revoke_token_1(?, ?, ?, ?)
      """;

  private static final String SET_SCOPES =
      """
      select evento.set_scopes_2(?, ?, ?, ?, ?, ?, ?)
      """;

  private static final String BEGIN_LOGIN =
      """
      select evento.begin_login_2(?, ?, ?, ?, ? * interval '1 second', ?, ?)
      """;

  private static final String BEGIN_OIDC_LOGIN =
      """
      select evento.begin_oidc_login_2(?, ?, ?, ?, ?, ?, ? * interval '1 second', ?, ?)
      """;

  private static final String END_LOGIN =
      """
      select evento.end_login_1(?, ?, ?)
      """;

  private static final String FAIL_SIGN_IN =
      """
      select evento.fail_sign_in_2(?, ?, ?)
      """;

  private static final String MAKE_SETUP_CODE =
      """
      select evento.make_setup_code_1(?, ? * interval '1 second', ?)
      """;

  private static final String FIRST_ADMINISTRATOR =
      """
      select evento.first_administrator_1(?, ?, ?, ?, ?)
      """;

  record UserRow(
      String name,
      List<Role> roles,
      OffsetDateTime createdAt,
      @Nullable OffsetDateTime signedInAt,
      @Nullable OffsetDateTime lockedAt,
      @Nullable String provider,
      int sessions) {}

  /**
   * @param address where it began; null if it began with an earlier release
   */
  record SessionRow(
      UUID id,
      OffsetDateTime createdAt,
      OffsetDateTime seenAt,
      OffsetDateTime endsAt,
      @Nullable String address) {}

  record TokenRow(
      String bundle,
      String prefix,
      OffsetDateTime createdAt,
      @Nullable OffsetDateTime expiresAt,
      @Nullable OffsetDateTime revokedAt,
      @Nullable OffsetDateTime lastUsedAt,
      @Nullable String lastUsedFrom,
      boolean isValid) {}

  /**
   * @param scope null for a bundle without any
   */
  record ScopeRow(String bundle, @Nullable Scope scope) {}

  private final Database database;

  @Inject
  PrincipalTable(Database database) {
    this.database = database;
  }

  List<UserRow> users() {
    return database.read(
        "read users",
        connection -> {
          try (var select = Sql.prepare(connection, USERS)) {
            return select.rows(
                row ->
                    new UserRow(
                        row.getString(1),
                        Stream.of(row.getString(2).split(",", -1))
                            .flatMap(name -> Role.ofWire(name).stream())
                            .toList(),
                        row.getObject(3, OffsetDateTime.class),
                        row.getObject(4, OffsetDateTime.class),
                        row.getObject(5, OffsetDateTime.class),
                        row.getString(6),
                        row.getInt(7)));
          }
        });
  }

  /**
   * Sessions of a person that are not over, by their ids.
   *
   * @param after only those with a greater id
   * @return empty if there is no such person
   */
  Optional<List<SessionRow>> sessions(String user, UUID after, int limit) {
    return database.read(
        "read sessions",
        connection -> {
          try (var select = Sql.prepare(connection, SESSIONS)) {
            var rows = select.bind(after).bind(user).bind(limit).rows(PrincipalTable::session);
            return rows.isEmpty()
                ? Optional.empty()
                : Optional.of(rows.stream().flatMap(Optional::stream).toList());
          }
        });
  }

  /** Empty for a person without one. */
  private static Optional<SessionRow> session(ResultSet row) throws SQLException {
    var id = row.getObject(1, UUID.class);
    return id == null
        ? Optional.empty()
        : Optional.of(
            new SessionRow(
                id,
                row.getObject(2, OffsetDateTime.class),
                row.getObject(3, OffsetDateTime.class),
                row.getObject(4, OffsetDateTime.class),
                row.getString(5)));
  }

  /**
   * What a bundle may.
   *
   * @param validTokens without one it may do nothing
   */
  record Rights(long validTokens, List<Scope> scopes) {}

  /** Of one bundle, in one statement, so that both are of the same moment. */
  Optional<Rights> rights(String bundle) {
    return database.read(
        "read rights of a bundle",
        connection -> {
          try (var select = Sql.prepare(connection, RIGHTS_OF)) {
            var rows =
                select
                    .bind(bundle)
                    .rows(row -> new Rights(row.getLong(1), scope(row).stream().toList()));
            return rows.isEmpty()
                ? Optional.empty()
                : Optional.of(
                    new Rights(
                        rows.get(0).validTokens(),
                        rows.stream().flatMap(row -> row.scopes().stream()).toList()));
          }
        });
  }

  /** Of the columns from the second on; empty if there is none. */
  private static Optional<Scope> scope(ResultSet row) throws SQLException {
    var right = row.getString(2);
    return right == null
        ? Optional.empty()
        : Optional.of(
            new Scope(
                Right.valueOf(right.toUpperCase(Locale.ROOT)), row.getString(3), row.getString(4)));
  }

  List<ScopeRow> scopes() {
    return database.read(
        "read scopes",
        connection -> {
          try (var select = Sql.prepare(connection, SCOPES)) {
            return select.rows(row -> new ScopeRow(row.getString(1), scope(row).orElse(null)));
          }
        });
  }

  List<TokenRow> tokens() {
    return database.read(
        "read tokens",
        connection -> {
          try (var select = Sql.prepare(connection, TOKENS)) {
            return select.rows(
                row ->
                    new TokenRow(
                        row.getString(1),
                        row.getString(2),
                        row.getObject(3, OffsetDateTime.class),
                        row.getObject(4, OffsetDateTime.class),
                        row.getObject(5, OffsetDateTime.class),
                        row.getObject(6, OffsetDateTime.class),
                        row.getString(7),
                        row.getBoolean(8)));
          }
        });
  }

  /** What is kept of a person's password; empty if there is none, or nobody of that name. */
  Optional<String> password(String user) {
    return database.read(
        "read password",
        connection -> {
          try (var select = Sql.prepare(connection, PASSWORD)) {
            return select.bind(user).first(row -> row.getString(1));
          }
        });
  }

  /** For how many seconds nobody from there signs in as this one; 0 for none. */
  int waitSeconds(String user, String address) {
    return database.read(
        "read failures",
        connection -> {
          try (var select = Sql.prepare(connection, WAIT)) {
            return select.bind(user).bind(address).one(row -> row.getInt(1));
          }
        });
  }

  String createUser(String name, Collection<Role> roles, String password, Actor by) {
    return call(
        CREATE_USER,
        sql -> sql.bind(name).array("text", roles, Role::wire).bind(password).bind(by));
  }

  /**
   * @param seen roles with commas between them; null if they do not matter
   * @return also {@code stale}, if the person has others by now
   */
  String setRoles(String name, Collection<Role> roles, @Nullable String seen, Actor by) {
    return call(
        SET_ROLES, sql -> sql.bind(name).array("text", roles, Role::wire).bind(seen).bind(by));
  }

  String setPassword(String name, String password, Actor by) {
    return call(SET_PASSWORD, sql -> sql.bind(name).bind(password).bind(by));
  }

  String lockUser(String name, Actor by) {
    return call(LOCK_USER, sql -> sql.bind(name).bind(by));
  }

  String unlockUser(String name, Actor by) {
    return call(UNLOCK_USER, sql -> sql.bind(name).bind(by));
  }

  /**
   * @param session null for all of his
   */
  String endLogins(String name, @Nullable UUID session, Actor by) {
    return call(END_LOGINS, sql -> sql.bind(name).bind(session).bind(by));
  }

  String removeUser(String name, Actor by) {
    return call(REMOVE_USER, sql -> sql.bind(name).bind(by));
  }

  /**
   * @param valid null until it is revoked
   * @param scopes null to leave them as they are
   */
  String createToken(
      String bundle,
      Token token,
      @Nullable Duration valid,
      @Nullable List<Scope> scopes,
      Actor by) {
    var seconds = valid == null ? null : Long.toString(valid.toSeconds());
    return call(
        scopes == null ? CREATE_TOKEN_WITH_THE_SCOPES_THAT_ARE : CREATE_TOKEN,
        sql -> {
          sql.bind(bundle).bind(token.hash()).bind(token.prefix()).bind(seconds);
          (scopes == null ? sql : scopes(sql, scopes)).bind(by);
        });
  }

  String revokeToken(String prefix, Actor by) {
    return call(REVOKE_TOKEN, sql -> sql.bind(prefix).bind(by));
  }

  String setScopes(String bundle, List<Scope> scopes, Actor by) {
    return call(SET_SCOPES, sql -> scopes(sql.bind(bundle), scopes).bind(by));
  }

  private static Sql scopes(Sql sql, List<Scope> scopes) throws SQLException {
    return sql.array("text", scopes, scope -> scope.right().wire())
        .array("text", scopes, Scope::context)
        .array("text", scopes, Scope::type);
  }

  /**
   * @param kept that the given password was held against
   */
  String beginLogin(
      String user, String kept, byte[] hash, String csrf, Duration valid, Actor from) {
    return call(
        BEGIN_LOGIN,
        sql ->
            sql.bind(user)
                .bind(kept)
                .bind(hash)
                .bind(csrf)
                .bind(valid.toSeconds())
                .bind(from.node())
                .bind(from.address()));
  }

  /** Of a person whom a provider names, who is made if need be. */
  String beginLogin(SignIns.Provided person, byte[] hash, String csrf, Duration valid, Actor from) {
    return call(
        BEGIN_OIDC_LOGIN,
        sql ->
            sql.bind(person.issuer())
                .bind(person.subject())
                .bind(person.name())
                .array("text", person.roles(), Role::wire)
                .bind(hash)
                .bind(csrf)
                .bind(valid.toSeconds())
                .bind(from.node())
                .bind(from.address()));
  }

  String endLogin(UUID id, Actor from) {
    return call(END_LOGIN, sql -> sql.bind(id).bind(from.node()).bind(from.address()));
  }

  void failSignIn(String user, Actor from) {
    call(FAIL_SIGN_IN, sql -> sql.bind(user).bind(from.node()).bind(from.address()));
  }

  String makeSetupCode(byte[] hash, Duration valid, String node) {
    return call(MAKE_SETUP_CODE, sql -> sql.bind(hash).bind(valid.toSeconds()).bind(node));
  }

  /**
   * @param code hash of what was given; null where an operator gave the node a password
   */
  String firstAdministrator(byte @Nullable [] code, String name, String password, Actor from) {
    return call(
        FIRST_ADMINISTRATOR,
        sql -> sql.bind(code).bind(name).bind(password).bind(from.node()).bind(from.address()));
  }

  private interface Binder {
    void bind(Sql sql) throws SQLException;
  }

  /**
   * @return what the function said; empty for one that says nothing
   */
  private String call(String function, Binder parameters) {
    return database.read(
        "change rights",
        connection -> {
          try (var call = Sql.audited(connection, function)) {
            parameters.bind(call);
            return call.one(row -> row.getString(1) == null ? "" : row.getString(1));
          }
        });
  }
}
