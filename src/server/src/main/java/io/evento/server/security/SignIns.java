package io.evento.server.security;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.config.ServerConfig;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;

/**
 * Lets people in: by their passwords, or as a provider names them. Two passwords at a time, and few
 * may wait: one costs a third of a second of a core, and a flood of them must not cost the node its
 * other work.
 *
 * <p>After five failures an address waits 1, 2, 4 … 300 s, on all nodes, as that is a row; so does
 * an account, but for that address alone, as a stranger who knows a name must not keep its owner
 * out. An account that fails again and again from everywhere makes each address wait from its first
 * failure on. A name that does not exist takes as long and is counted like one that does.
 */
@NodeScoped
public class SignIns {
  /** A session of a person ends then however much it is used. */
  static final Duration SESSION_MAX = Duration.ofHours(12);

  private static final int THREADS = 2;
  private static final int WAITING_MAX = 20;
  private static final int NAME_CHARS_MAX = 100;
  private static final int SECRET_BYTES = 32;
  private static final int CSRF_BYTES = 16;
  private static final String LOCKED = "locked";

  private final PrincipalTable table;
  private final Grants grants;
  private final AuditLog audit;
  private final ExecutorService workers;
  private final String node;

  @Inject
  SignIns(
      PrincipalTable table, Grants grants, AuditLog audit, ServerConfig config, Threads threads) {
    this.table = table;
    this.grants = grants;
    this.audit = audit;
    this.node = config.node().name();
    workers = threads.pool("passwords", THREADS, WAITING_MAX);
  }

  /**
   * A session that began.
   *
   * @param cookie its secret, told once
   * @param csrf what each request of it that may change something has to say
   */
  public record Begun(String name, String cookie, String csrf) {}

  /**
   * Begins a session. It is known on all nodes when the stage completes.
   *
   * @return fails with {@code unauthenticated}, whatever was wrong, {@code too-many-failures},
   *     {@code overloaded}, or {@code forbidden} for who has the password and is locked
   */
  public CompletionStage<Begun> signIn(String name, String password, String address) {
    if (name == null || name.isEmpty() || name.length() > NAME_CHARS_MAX) {
      throw EventoException.invalid("/name", "must have 1 to " + NAME_CHARS_MAX + " characters");
    }
    if (password == null) {
      throw EventoException.invalid("/password", "is required");
    }
    var from = new Actor("nobody", node, address);
    return run(() -> begin(name, password, from))
        .thenCompose(begun -> grants.everywhere().thenApply(known -> begun));
  }

  private Begun begin(String name, String password, Actor from) {
    checkWait(name, from.address());
    var kept = table.password(name).orElse(null);
    if (kept == null) {
      Passwords.waste(password);
    } else if (Passwords.matches(kept, password)) {
      var cookie = Token.secret(SECRET_BYTES);
      var csrf = Token.secret(CSRF_BYTES);
      var said = table.beginLogin(name, kept, Token.hash(cookie), csrf, SESSION_MAX, from);
      if (said.equals("done")) {
        return new Begun(name, cookie, csrf);
      }
      if (said.equals(LOCKED)) {
        table.failSignIn(name, from);
        audit.refused("nobody", from.address(), "sign in " + name, ErrorCode.FORBIDDEN);
        throw new EventoException(ErrorCode.FORBIDDEN, why(said, name));
      }
    }
    table.failSignIn(name, from);
    throw Grants.unknown("name or password is wrong");
  }

  private void checkWait(String name, String address) {
    var seconds = table.waitSeconds(name, address);
    if (seconds > 0) {
      audit.refused("nobody", address, "sign in " + name, ErrorCode.TOO_MANY_FAILURES);
      throw new TooManyFailuresException(seconds);
    }
  }

  /**
   * A person as a provider names him.
   *
   * @param issuer the provider
   * @param subject whom it means, now and later
   * @param name that he gets here when he comes first
   * @param roles from now on; none, and he is refused and loses those that he has
   */
  public record Provided(String issuer, String subject, String name, Set<Role> roles) {
    public Provided {
      roles = Set.copyOf(roles);
    }
  }

  /**
   * Begins a session of a person whom a provider named; blocks on the database. It is known on all
   * nodes when the stage completes.
   *
   * @throws EventoException {@code forbidden} for one without a role, for one who is locked or
   *     whose name is another person's here, and for the last administrator without that role
   */
  public CompletionStage<Begun> signIn(Provided person, String address) {
    if (!Administration.isUserName(person.name())) {
      throw new EventoException(
          ErrorCode.FORBIDDEN,
          "the provider's name of a person must start with a letter and have 1 to 100 letters,"
              + " digits, '.', '_', '@' or '-'");
    }
    var from = new Actor("nobody", node, address);
    var cookie = Token.secret(SECRET_BYTES);
    var csrf = Token.secret(CSRF_BYTES);
    var said = table.beginLogin(person, Token.hash(cookie), csrf, SESSION_MAX, from);
    if (!said.equals("done")) {
      grants.refresh();
      audit.refused("nobody", address, "sign in " + person.name(), ErrorCode.FORBIDDEN);
      throw new EventoException(ErrorCode.FORBIDDEN, why(said, person.name()));
    }
    return grants.everywhere().thenApply(known -> new Begun(person.name(), cookie, csrf));
  }

  private static String why(String said, String name) {
    return switch (said) {
      case "no-roles" -> "no group of " + name + " has a role here";
      case LOCKED -> name + " is locked, until an administrator unlocks the account";
      case "name-taken" -> "the name " + name + " is another person's here";
      case "last-admin" ->
          name + " is the last administrator, and the provider gives that role no more";
      default -> throw new IllegalStateException("the database said " + said);
    };
  }

  /** Ends a session; on all nodes when the stage completes. */
  public CompletionStage<Void> signOut(Caller caller) {
    var id = caller.credential();
    if (caller.kind() != Caller.Kind.USER || id == null) {
      throw EventoException.invalid("", "only a person's session ends so");
    }
    return run(() -> table.endLogin(id, Actor.of(caller, node)))
        .thenCompose(said -> grants.everywhere());
  }

  /**
   * What to keep of a password, by a thread that has the time.
   *
   * @return fails with {@code overloaded}
   */
  CompletionStage<String> keep(String password) {
    return run(() -> Passwords.keep(password));
  }

  /**
   * Whether a password is a person's own; a wrong one counts as a failure to sign in.
   *
   * @return fails with {@code unauthenticated} or {@code too-many-failures}
   */
  CompletionStage<Void> confirm(Caller caller, String password) {
    return run(
        () -> {
          var from = Actor.of(caller, node);
          checkWait(caller.name(), caller.address());
          var kept = table.password(caller.name()).orElse(null);
          if (kept == null || !Passwords.matches(kept, password)) {
            table.failSignIn(caller.name(), from);
            throw Grants.unknown("the present password is wrong");
          }
          return null;
        });
  }

  private <T> CompletableFuture<T> run(Supplier<T> work) {
    return Threads.supply(work, workers);
  }
}
