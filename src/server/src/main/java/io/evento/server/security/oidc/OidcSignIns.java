package io.evento.server.security.oidc;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.config.OidcConfig;
import io.evento.server.config.ServerConfig;
import io.evento.server.security.AuditLog;
import io.evento.server.security.Role;
import io.evento.server.security.SignIns;
import jakarta.inject.Inject;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Lets people in as an OpenID provider names them. Who they are is the provider's issuer and
 * subject; what they may is what their groups give, anew each time that they sign in.
 *
 * <p>The provider may be slow or dead, and anybody may begin: four attempts are under way at a
 * time, few may wait, and none for long.
 */
@NodeScoped
public class OidcSignIns {
  /** Of the provider, for one answer. */
  private static final Duration ANSWER = Duration.ofSeconds(5);

  private static final int THREADS = 4;
  private static final int WAITING_MAX = 20;
  private static final long WAIT_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final Pattern CODE = Pattern.compile("[\\x21-\\x7e]{1,4096}");
  private static final int SUBJECT_CHARS_MAX = 255;

  /**
   * Where the browser goes.
   *
   * @param cookie what it has to bring when it comes back
   */
  public record Begun(URI location, String cookie) {}

  /** What a browser brings that comes back; null for what it does not. */
  public record Return(
      @Nullable String code,
      @Nullable String state,
      @Nullable String issuer,
      @Nullable String error,
      @Nullable String cookie) {}

  /** What there is if a provider is configured. */
  private record Parts(OidcConfig config, Provider provider, IdTokens tokens) {}

  private final @Nullable Parts parts;
  private final SignIns signIns;
  private final AuditLog audit;
  private final InstantSource clock;
  private final ExecutorService workers;

  @Inject
  public OidcSignIns(ServerConfig config, SignIns signIns, AuditLog audit, Threads threads) {
    this(config, signIns, audit, threads, InstantSource.system(), ANSWER);
  }

  /**
   * @param answer how long the provider may take for one
   */
  public OidcSignIns(
      ServerConfig config,
      SignIns signIns,
      AuditLog audit,
      Threads threads,
      InstantSource clock,
      Duration answer) {
    this.signIns = signIns;
    this.audit = audit;
    this.clock = clock;
    workers = threads.pool("oidc", THREADS, WAITING_MAX);
    parts =
        config
            .security()
            .oidc()
            .map(oidc -> parts(oidc, threads.pool("oidc-http", 2, 200), clock, answer))
            .orElse(null);
  }

  private static Parts parts(
      OidcConfig config, ExecutorService executor, InstantSource clock, Duration answer) {
    var http = new ProviderHttp(executor, answer);
    var provider = new Provider(config, http);
    return new Parts(
        config, provider, new IdTokens(config, new ProviderKeys(provider, http), clock));
  }

  /** Where somebody goes on who has signed in. */
  public String after() {
    return configured().config().after();
  }

  /**
   * @return fails with {@code not-found} without a provider, with {@code overloaded} or {@code
   *     unavailable}
   */
  public CompletionStage<Begun> begin() {
    var known = configured();
    return run(
        () -> {
          var attempt = Attempt.begin(clock.instant());
          return new Begun(known.provider().authorization(attempt), attempt.cookie());
        });
  }

  /**
   * Begins a session for whom the provider sends back. It is known on all nodes when the stage
   * completes.
   *
   * @return fails with {@code unauthenticated} if it is not proved who he is, with {@code
   *     forbidden} if he has no role here, with {@code overloaded} or {@code unavailable}
   */
  public CompletionStage<SignIns.Begun> finish(Return back, String address) {
    var known = configured();
    return run(() -> signIns.signIn(person(known, back), address))
        .thenCompose(session -> session)
        .whenComplete((session, failure) -> note(failure, address));
  }

  /** Who was refused for want of a role is noted already. */
  private void note(@Nullable Throwable failure, String address) {
    var cause = failure instanceof CompletionException ? failure.getCause() : failure;
    if (cause instanceof EventoException refused && refused.code() == ErrorCode.UNAUTHENTICATED) {
      audit.refused("nobody", address, "sign in by a provider", refused.code());
    }
  }

  private SignIns.Provided person(Parts known, Return back) {
    var attempt =
        Attempt.of(back.cookie(), clock.instant())
            .filter(one -> one.isState(back.state()))
            .orElseThrow(
                () ->
                    unknown(
                        "this browser did not begin this sign-in, or more than ten minutes ago:"
                            + " begin again"));
    var config = known.config();
    var issuer = config.issuer().toString();
    if (back.issuer() == null
        ? known.provider().places().namesItself()
        : !back.issuer().equals(issuer)) {
      throw unknown("another provider sent this browser back");
    }
    if (back.error() != null) {
      throw unknown("the provider refuses: " + Provider.word(back.error()));
    }
    var code = back.code();
    if (code == null || !CODE.matcher(code).matches()) {
      throw EventoException.invalid("code", "must be what the provider gave");
    }
    var claims = known.tokens().claims(known.provider().exchange(code, attempt), attempt);
    return new SignIns.Provided(
        issuer,
        subject(claims.path("sub").asText("")),
        name(config, claims),
        roles(config.roles(), find(claims, config.groupsClaim())));
  }

  private static String subject(String subject) {
    if (subject.isEmpty()
        || subject.length() > SUBJECT_CHARS_MAX
        || subject.chars().anyMatch(Character::isISOControl)) {
      throw IdTokens.refused("must have a sub of 1 to " + SUBJECT_CHARS_MAX + " characters");
    }
    return subject;
  }

  private static String name(OidcConfig config, JsonNode claims) {
    var name = find(claims, config.nameClaim());
    if (!name.isTextual()) {
      throw new EventoException(
          ErrorCode.FORBIDDEN, "the provider's ID token has no " + config.nameClaim());
    }
    return name.asText();
  }

  private static Set<Role> roles(Map<String, Set<String>> byGroup, JsonNode groups) {
    var names = new HashSet<String>();
    if (groups.isTextual()) {
      names.add(groups.asText());
    }
    groups.forEach(
        group -> {
          if (group.isTextual()) {
            names.add(group.asText());
          }
        });
    var roles = EnumSet.noneOf(Role.class);
    byGroup.forEach(
        (group, given) -> {
          if (names.contains(group)) {
            given.forEach(role -> Role.ofWire(role).ifPresent(roles::add));
          }
        });
    return roles;
  }

  private static JsonNode find(JsonNode claims, String where) {
    return where.startsWith("/") ? claims.at(JsonPointer.compile(where)) : claims.path(where);
  }

  private Parts configured() {
    if (parts == null) {
      throw new EventoException(
          ErrorCode.NOT_FOUND, "no provider signs people in here: there is no evento.oidc.issuer");
    }
    return parts;
  }

  private static EventoException unknown(String why) {
    return new EventoException(ErrorCode.UNAUTHENTICATED, why);
  }

  private <T> CompletableFuture<T> run(Supplier<T> work) {
    var since = System.nanoTime();
    return Threads.supply(
        () -> {
          if (System.nanoTime() - since > WAIT_NANOS) {
            throw new EventoException(ErrorCode.OVERLOADED, "too many sign in just now");
          }
          return work.get();
        },
        workers);
  }
}
