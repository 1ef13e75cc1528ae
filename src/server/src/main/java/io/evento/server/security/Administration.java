package io.evento.server.security;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.config.ServerConfig;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * People, bundles, their tokens and scopes, as administrators see and change them. A change is in
 * force on all nodes when its stage completes.
 */
@NodeScoped
public class Administration {
  private static final Pattern USER_NAME = Pattern.compile("[A-Za-z][A-Za-z0-9._@-]{0,99}");
  private static final Pattern PATTERN = Pattern.compile("[A-Za-z0-9._-]{0,100}\\*?");
  private static final int SCOPES_MAX = 1_000;
  private static final UUID FIRST = new UUID(0, 0);
  private static final Duration VALID_MAX = Duration.ofDays(3_650);

  /**
   * A person.
   *
   * @param signedInAt last; null if he did not since that is kept
   * @param lockedAt since when nobody signs in as him; null if he may
   * @param provider by which he signs in, an OpenID issuer; null with a password
   * @param sessions how many are not over
   */
  public record User(
      String name,
      List<Role> roles,
      OffsetDateTime createdAt,
      @Nullable OffsetDateTime signedInAt,
      @Nullable OffsetDateTime lockedAt,
      @Nullable String provider,
      int sessions) {}

  /**
   * A session of a person, without its secret.
   *
   * @param seenAt when it was used last, to the minute
   * @param address where it began; null if it began with an earlier release
   */
  public record Session(
      UUID id,
      OffsetDateTime createdAt,
      OffsetDateTime seenAt,
      OffsetDateTime endsAt,
      @Nullable String address) {}

  /**
   * A token, without its secret.
   *
   * @param lastUsedAt by the minute; null if it never was
   * @param lastUsedFrom the address; null if that was with an earlier release
   * @param isValid whether it is neither revoked nor expired
   */
  public record TokenView(
      String prefix,
      OffsetDateTime createdAt,
      @Nullable OffsetDateTime expiresAt,
      @Nullable OffsetDateTime revokedAt,
      @Nullable OffsetDateTime lastUsedAt,
      @Nullable String lastUsedFrom,
      boolean isValid) {}

  /** A bundle, or another program that has or had tokens. */
  public record Bundle(String name, List<Scope> scopes, List<TokenView> tokens) {}

  /**
   * A token that was made.
   *
   * @param token the secret, told once
   */
  public record Made(String bundle, String prefix, String token) {}

  private final PrincipalTable table;
  private final SignIns signIns;
  private final Grants grants;
  private final ExecutorService workers;
  private final String node;

  @Inject
  Administration(
      PrincipalTable table, SignIns signIns, Grants grants, ServerConfig config, Threads threads) {
    this.table = table;
    this.signIns = signIns;
    this.grants = grants;
    node = config.node().name();
    workers = threads.pool("rights", 2, 100);
  }

  public CompletionStage<List<User>> users() {
    return run(
        () ->
            table.users().stream()
                .map(
                    row ->
                        new User(
                            row.name(),
                            row.roles(),
                            row.createdAt(),
                            row.signedInAt(),
                            row.lockedAt(),
                            row.provider(),
                            row.sessions()))
                .toList());
  }

  /**
   * Sessions of a person that are not over, by their ids.
   *
   * @param after only those with a greater id; null from the first on
   * @return fails with {@code not-found}
   */
  public CompletionStage<List<Session>> sessions(String name, @Nullable UUID after, int limit) {
    return run(
        () ->
            table
                .sessions(name, after == null ? FIRST : after, limit)
                .orElseThrow(() -> new EventoException(ErrorCode.NOT_FOUND, "there is no " + name))
                .stream()
                .map(Administration::session)
                .toList());
  }

  private static Session session(PrincipalTable.SessionRow row) {
    return new Session(row.id(), row.createdAt(), row.seenAt(), row.endsAt(), row.address());
  }

  /**
   * @return fails with {@code conflict} if there is one of that name
   */
  public CompletionStage<Void> createUser(
      String name, Collection<Role> roles, String password, Caller by) {
    checkUserName(name);
    Passwords.check("/password", password);
    return signIns
        .keep(password)
        .thenCompose(kept -> change(() -> table.createUser(name, roles, kept, actor(by)), name));
  }

  /**
   * Ends his sessions too.
   *
   * @param seen the roles that the caller saw, with commas between them; null if whatever somebody
   *     else made of them meanwhile is to be overwritten
   * @return fails with {@code conflict} for the last administrator, and if there are other roles by
   *     now; with {@code forbidden} if he would give himself a role that he does not have
   * @throws EventoException {@code forbidden}, if that is known at once
   */
  public CompletionStage<Void> setRoles(
      String name, Collection<Role> roles, @Nullable Collection<Role> seen, Caller by) {
    if (by.kind() == Caller.Kind.USER
        && by.name().equals(name)
        && !by.roles().containsAll(Role.implied(roles))) {
      throw forSelf();
    }
    var names = seen == null ? null : Role.commaSeparated(seen);
    return change(() -> table.setRoles(name, roles, names, actor(by)), name);
  }

  /** Ends his sessions too. */
  public CompletionStage<Void> setPassword(String name, String password, Caller by) {
    Passwords.check("/password", password);
    return signIns
        .keep(password)
        .thenCompose(kept -> change(() -> table.setPassword(name, kept, actor(by)), name));
  }

  /**
   * The caller's own; ends all his sessions.
   *
   * @return fails with {@code unauthenticated} if the present one is wrong
   */
  public CompletionStage<Void> changePassword(Caller caller, String present, String wanted) {
    if (caller.kind() != Caller.Kind.USER) {
      throw EventoException.invalid("", "only a person has a password");
    }
    Passwords.check("/newPassword", wanted);
    return signIns
        .confirm(caller, present)
        .thenCompose(confirmed -> setPassword(caller.name(), wanted, caller));
  }

  /**
   * Ends his sessions, and lets nobody sign in as him until he is unlocked.
   *
   * @return fails with {@code not-found}, or with {@code conflict} for the last administrator
   */
  public CompletionStage<Void> lockUser(String name, Caller by) {
    return change(() -> table.lockUser(name, actor(by)), name);
  }

  /**
   * Lets him sign in again.
   *
   * @return fails with {@code not-found}, or with {@code forbidden} for himself
   */
  public CompletionStage<Void> unlockUser(String name, Caller by) {
    return change(() -> table.unlockUser(name, actor(by)), name);
  }

  /**
   * Ends sessions of a person.
   *
   * @param session null for all of his
   * @return fails with {@code not-found} if there is none
   */
  public CompletionStage<Void> endSessions(String name, @Nullable UUID session, Caller by) {
    return change(() -> table.endLogins(name, session, actor(by)), "session of " + name);
  }

  /**
   * @return fails with {@code not-found}, or with {@code conflict} for the last administrator
   */
  public CompletionStage<Void> removeUser(String name, Caller by) {
    return change(() -> table.removeUser(name, actor(by)), name);
  }

  public CompletionStage<List<Bundle>> bundles() {
    return run(
        () -> {
          var bundles = new TreeMap<String, Bundle>();
          for (var row : table.scopes()) {
            var bundle =
                bundles.computeIfAbsent(
                    row.bundle(), name -> new Bundle(name, new ArrayList<>(), new ArrayList<>()));
            var scope = row.scope();
            if (scope != null) {
              bundle.scopes().add(scope);
            }
          }
          for (var row : table.tokens()) {
            bundles
                .computeIfAbsent(
                    row.bundle(), name -> new Bundle(name, new ArrayList<>(), new ArrayList<>()))
                .tokens()
                .add(
                    new TokenView(
                        row.prefix(),
                        row.createdAt(),
                        row.expiresAt(),
                        row.revokedAt(),
                        row.lastUsedAt(),
                        row.lastUsedFrom(),
                        row.isValid()));
          }
          return List.copyOf(bundles.values());
        });
  }

  /**
   * Whether a bundle may do something.
   *
   * @param by the scope that covers it; null if none does
   * @param validTokens of the bundle; without one it may do nothing
   */
  public record Verdict(@Nullable Scope by, long validTokens) {
    public boolean isAllowed() {
      return by != null && validTokens > 0;
    }
  }

  /**
   * Whether a bundle may do something, by what the database says now.
   *
   * @return fails with {@code not-found} for one that never had a token
   */
  public CompletionStage<Verdict> check(String bundle, Right right, String context, String type) {
    return run(
        () -> {
          var rights =
              table
                  .rights(bundle)
                  .orElseThrow(
                      () ->
                          new EventoException(ErrorCode.NOT_FOUND, "there is no bundle " + bundle));
          return new Verdict(
              rights.scopes().stream()
                  .filter(scope -> scope.covers(right, context, type))
                  .findFirst()
                  .orElse(null),
              rights.validTokens());
        });
  }

  /**
   * Makes a token for a bundle, which may have two valid ones at a time: so that the second is in
   * use before the first is revoked.
   *
   * @param valid null until it is revoked
   * @param scopes of the bundle from now on; null to leave them as they are
   * @return fails with {@code conflict} if it has two
   */
  public CompletionStage<Made> createToken(
      String bundle, @Nullable Duration valid, @Nullable List<Scope> scopes, Caller by) {
    Names.checkType("/bundle", bundle);
    if (valid != null
        && (valid.compareTo(Duration.ofSeconds(1)) < 0 || valid.compareTo(VALID_MAX) > 0)) {
      throw EventoException.invalid("/validFor", "must be PT1S to P" + VALID_MAX.toDays() + "D");
    }
    if (scopes != null) {
      check(scopes);
    }
    var token = Token.make();
    return change(() -> table.createToken(bundle, token, valid, scopes, actor(by)), bundle)
        .thenApply(done -> new Made(bundle, token.prefix(), token.text()));
  }

  /**
   * @return fails with {@code not-found} if there is none, or it is revoked already
   */
  public CompletionStage<Void> revokeToken(String prefix, Caller by) {
    return change(() -> table.revokeToken(prefix, actor(by)), prefix);
  }

  /** Replaces all scopes of a bundle. */
  public CompletionStage<Void> setScopes(String bundle, List<Scope> scopes, Caller by) {
    check(scopes);
    return change(() -> table.setScopes(bundle, scopes, actor(by)), bundle);
  }

  static boolean isUserName(String name) {
    return name != null && USER_NAME.matcher(name).matches();
  }

  static void checkUserName(String name) {
    if (!isUserName(name)) {
      throw EventoException.invalid(
          "/name",
          "must start with a letter and have 1 to 100 letters, digits, '.', '_', '@' or '-'");
    }
  }

  private static void check(List<Scope> scopes) {
    if (scopes.size() > SCOPES_MAX) {
      throw EventoException.invalid("/scopes", "must be at most " + SCOPES_MAX);
    }
    for (var i = 0; i < scopes.size(); i++) {
      check("/scopes/" + i + "/context", scopes.get(i).context());
      check("/scopes/" + i + "/type", scopes.get(i).type());
      if (scopes.get(i).right() == Right.PERSONAL && !scopes.get(i).type().equals("*")) {
        throw EventoException.invalid(
            "/scopes/" + i + "/type", "must be * for personal, as keys are those of a context");
      }
    }
  }

  private static void check(String pointer, String pattern) {
    if (pattern.isEmpty() || !PATTERN.matcher(pattern).matches()) {
      throw EventoException.invalid(pointer, "must be a name, or a beginning of names and *");
    }
  }

  private Actor actor(Caller by) {
    return Actor.of(by, node);
  }

  private CompletionStage<Void> change(Supplier<String> work, String object) {
    return run(() -> {
          judge(work.get(), object);
          return true;
        })
        .thenCompose(done -> grants.everywhere());
  }

  private static EventoException forSelf() {
    return new EventoException(
        ErrorCode.FORBIDDEN,
        "nobody gives himself a role or unlocks himself: another administrator does");
  }

  private static void judge(String said, String object) {
    switch (said) {
      case "done" -> {}
      case "absent" ->
          throw new EventoException(ErrorCode.NOT_FOUND, "there is no valid " + object);
      case "stale" ->
          throw new EventoException(
              ErrorCode.CONFLICT,
              "somebody else changed the roles of " + object + " meanwhile: look at them again");
      case "exists" -> throw new EventoException(ErrorCode.CONFLICT, "there is a " + object);
      case "last-admin" ->
          throw new EventoException(
              ErrorCode.CONFLICT, object + " is the last administrator, and has to stay one");
      case "self" -> throw forSelf();
      case "of-a-provider" ->
          throw new EventoException(
              ErrorCode.CONFLICT, object + " signs in by a provider, and has no password here");
      case "two" ->
          throw new EventoException(
              ErrorCode.CONFLICT, object + " has two valid tokens: revoke one of them first");
      case "no-scopes" ->
          throw EventoException.invalid("/scopes", "are required with the first token of a bundle");
      default -> throw new IllegalStateException("the database said " + said);
    }
  }

  private <T> CompletionStage<T> run(Supplier<T> work) {
    return Threads.supply(work, workers);
  }
}
