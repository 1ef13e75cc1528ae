package io.evento.server.security;

import static io.evento.server.security.RightsNode.ADMIN;
import static io.evento.server.security.RightsNode.done;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.config.OidcConfig;
import io.evento.server.config.ServerConfig;
import io.evento.server.security.oidc.OidcSignIns;
import io.evento.testing.OidcProvider;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whom a provider's word lets in, and what of it does not. */
class OidcSignInsTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final String ADDRESS = "10.0.0.1";
  private static final String PASSWORD = "a long enough one";
  private static final String CALLBACK = "http://127.0.0.1:8080/evento/api/session/oidc/callback";

  @TempDir private Path directory;
  private TestDatabase where;
  private OidcProvider provider;
  private volatile Duration late = Duration.ZERO;
  private RightsNode node;
  private RightsNode other;

  @BeforeEach
  void start() throws Exception {
    where = PostgresFixture.shared().migrated();
    provider = OidcProvider.start();
    node = node("node-1");
    other = node("node-2");
    await().atMost(LIMIT).until(() -> node.grants.isFresh() && other.grants.isFresh());
  }

  @AfterEach
  void stop() {
    provider.close();
    other.close();
    node.close();
    where.close();
  }

  private RightsNode node(String name) throws Exception {
    var secret = Files.writeString(directory.resolve("secret"), OidcProvider.SECRET + "\n");
    var oidc =
        new OidcConfig(
            URI.create(provider.issuer()),
            OidcProvider.CLIENT,
            Optional.of(secret),
            URI.create(CALLBACK),
            "openid profile",
            "preferred_username",
            "groups",
            Map.of("chiefs", Set.of("admin"), "ops", Set.of("operator", "auditor")),
            "/evento/api/session");
    return new RightsNode(
        where,
        name,
        new ServerConfig.Security(
            false, Optional.empty(), "admin", Optional.empty(), Optional.of(oidc)),
        InstantSource.tick(
            new InstantSource() {
              @Override
              public Instant instant() {
                return Instant.now().plus(late);
              }
            },
            Duration.ofSeconds(1)));
  }

  private OidcSignIns.Return back(OidcSignIns.Begun begun) {
    var query = OidcProvider.form(provider.visit(begun.location()).getRawQuery());
    return new OidcSignIns.Return(
        query.get("code"), query.get("state"), query.get("iss"), null, begun.cookie());
  }

  private SignIns.Begun signIn() throws Exception {
    return done(other.oidc.finish(back(done(node.oidc.begin())), ADDRESS));
  }

  private void isRefused(ErrorCode code, String said) {
    assertThatThrownBy(this::signIn)
        .isInstanceOfSatisfying(
            EventoException.class,
            refused -> {
              assertThat(refused.code()).isEqualTo(code);
              assertThat(refused.detail()).contains(said);
            });
    assertThat(logins()).isZero();
  }

  private long logins() {
    return Long.parseLong(string("select count(*) from evento.login"));
  }

  private String string(String query) {
    try (var server = where.asServer();
        var statement = server.createStatement();
        var row = statement.executeQuery(query)) {
      return row.next() ? String.valueOf(row.getString(1)) : "";
    } catch (java.sql.SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }

  private List<String> audit() {
    return node.audit.page(AuditLog.Filter.NONE, Long.MAX_VALUE, 100).entries().stream()
        .map(row -> row.who() + " | " + row.action() + " | " + row.object())
        .toList();
  }

  @Test
  void whoever_begins_at_one_node_may_come_back_at_another_and_is_known_at_all() throws Exception {
    provider.person("s-1", "ada", "ops", "gardeners");
    var begun = signIn();
    var session = node.grants.session(begun.cookie(), ADDRESS, true).orElseThrow();
    assertThat(session.caller().name()).isEqualTo("ada");
    assertThat(session.caller().kind()).isEqualTo(Caller.Kind.USER);
    assertThat(session.caller().roles())
        .containsExactlyInAnyOrder(Role.OPERATOR, Role.VIEWER, Role.AUDITOR);
    assertThat(session.csrf()).isEqualTo(begun.csrf());
    assertThat(other.grants.session(begun.cookie(), ADDRESS, true)).isPresent();
    assertThat(audit())
        .containsExactly(
            "user ada | sign in | ada", "provider " + provider.issuer() + " | create user | ada");
    assertThat(node.grants.isArmed()).isFalse();
  }

  @Test
  void a_token_signed_by_an_elliptic_curve_is_as_good() throws Exception {
    provider.person("s-1", "ada", "ops").sign(OidcProvider.Signing.ES256);
    assertThat(signIn().name()).isEqualTo("ada");
  }

  static Stream<Arguments> flaws() {
    return Stream.of(
        flaw("another nonce", set -> set.put("nonce", "of another sign-in")),
        flaw("another nonce", set -> set.remove("nonce")),
        flaw("another audience", set -> set.put("aud", "shop")),
        flaw("another audience", set -> set.putArray("aud").add("shop").add("bank")),
        flaw("azp", set -> set.putArray("aud").add("evento").add("bank")),
        flaw("azp", set -> set.put("azp", "bank")),
        flaw("another issuer", set -> set.put("iss", "https://elsewhere.example")),
        flaw("has expired", set -> set.put("exp", set.path("exp").asLong() - 400)),
        flaw("must have exp and iat", set -> set.remove("exp")),
        flaw("must have exp and iat", set -> set.put("exp", "soon")),
        flaw("must have exp and iat", set -> set.remove("iat")),
        flaw("future", set -> set.put("iat", set.path("iat").asLong() + 90)),
        flaw("future", set -> set.put("nbf", set.path("iat").asLong() + 90)),
        flaw("older", set -> set.put("iat", set.path("iat").asLong() - 700)),
        flaw("sub", set -> set.remove("sub")),
        flaw("sub", set -> set.put("sub", "x".repeat(256))));
  }

  private static Arguments flaw(String said, Consumer<ObjectNode> change) {
    return Arguments.of(said, change);
  }

  @ParameterizedTest
  @MethodSource("flaws")
  void a_token_with_a_wrong_claim_lets_nobody_in(String said, Consumer<ObjectNode> change) {
    provider.person("s-1", "ada", "ops").claim(change);
    isRefused(ErrorCode.UNAUTHENTICATED, said);
  }

  @Test
  void a_token_for_several_is_taken_where_it_was_given_to_this_client() throws Exception {
    provider
        .person("s-1", "ada", "ops")
        .claim(
            set -> {
              set.putArray("aud").add("bank").add(OidcProvider.CLIENT);
              set.put("azp", OidcProvider.CLIENT);
            });
    assertThat(signIn().name()).isEqualTo("ada");
  }

  @Test
  void a_token_that_is_not_signed_by_the_provider_lets_nobody_in() {
    provider.person("s-1", "ada", "chiefs").sign(OidcProvider.Signing.FOREIGN_KEY);
    isRefused(ErrorCode.UNAUTHENTICATED, "wrong signature");
    provider.sign(OidcProvider.Signing.NONE);
    isRefused(ErrorCode.UNAUTHENTICATED, "no JWS");
    provider.sign(OidcProvider.Signing.HS256_WITH_THE_PUBLIC_KEY);
    isRefused(ErrorCode.UNAUTHENTICATED, "RS256 or ES256");
    provider.sign(OidcProvider.Signing.RS256);
    provider.head(set -> set.put("alg", "none"));
    isRefused(ErrorCode.UNAUTHENTICATED, "RS256 or ES256");
    provider.head(set -> set.put("kid", "ec-1"));
    isRefused(ErrorCode.UNAUTHENTICATED, "names no key");
    provider.head(set -> set.putArray("crit").add("exp"));
    isRefused(ErrorCode.UNAUTHENTICATED, "must be understood");
    assertThat(audit()).isNotEmpty().allMatch("nobody | refuse | sign in by a provider"::equals);
  }

  @Test
  void a_new_key_is_found_and_strangers_do_not_make_the_node_ask_for_keys_as_often_as_they_like()
      throws Exception {
    provider.person("s-1", "ada", "ops");
    signIn();
    provider.rotate();
    await("the pause between two askings")
        .atMost(LIMIT)
        .pollInterval(Duration.ofMillis(500))
        .ignoreExceptions()
        .until(() -> signIn().name().equals("ada"));
    var before = provider.asked("/keys");
    provider.head(set -> set.put("kid", "unknown"));
    for (var i = 0; i < 6; i++) {
      assertThatThrownBy(this::signIn).hasMessageContaining("names no key");
    }
    assertThat(provider.asked("/keys") - before).isLessThanOrEqualTo(2);
  }

  @Test
  void a_code_is_good_once_and_with_the_cookie_and_the_state_of_its_attempt_alone()
      throws Exception {
    provider.person("s-1", "ada", "ops");
    var begun = done(node.oidc.begin());
    var another = done(node.oidc.begin());
    var back = back(begun);
    for (var wrong :
        List.of(
            new OidcSignIns.Return(back.code(), back.state(), back.issuer(), null, null),
            new OidcSignIns.Return(back.code(), null, back.issuer(), null, begun.cookie()),
            new OidcSignIns.Return(
                back.code(), back.state(), back.issuer(), null, another.cookie()),
            new OidcSignIns.Return(
                back.code(), back.state(), back.issuer(), null, later(begun.cookie())),
            new OidcSignIns.Return(
                back.code(), back(another).state(), back.issuer(), null, begun.cookie()))) {
      assertThatThrownBy(() -> done(other.oidc.finish(wrong, ADDRESS)))
          .hasMessageContaining("this browser did not begin this sign-in");
    }
    var mixedUp = back(another).code();
    assertThatThrownBy(
            () ->
                done(
                    other.oidc.finish(
                        new OidcSignIns.Return(
                            mixedUp, back.state(), back.issuer(), null, begun.cookie()),
                        ADDRESS)))
        .as("the verifier of one attempt is not that of another")
        .hasMessageContaining("does not take the code");
    for (var issuer : new String[] {null, "https://elsewhere.example"}) {
      assertThatThrownBy(
              () ->
                  done(
                      other.oidc.finish(
                          new OidcSignIns.Return(
                              back.code(), back.state(), issuer, null, begun.cookie()),
                          ADDRESS)))
          .hasMessageContaining("another provider");
    }

    done(other.oidc.finish(back, ADDRESS));
    assertThatThrownBy(() -> done(other.oidc.finish(back, ADDRESS)))
        .hasMessageContaining("does not take the code: begin again")
        .message()
        .doesNotContain("secret of the provider");
    assertThat(logins()).isOne();
  }

  private static String later(String cookie) {
    var dot = cookie.indexOf('.');
    return cookie.substring(0, dot + 1) + (Long.parseLong(cookie.substring(dot + 1)) + 3_600);
  }

  @Test
  void an_attempt_is_over_after_ten_minutes() throws Exception {
    provider.person("s-1", "ada", "ops");
    var back = back(done(node.oidc.begin()));
    late = Duration.ofMinutes(10);
    assertThatThrownBy(() -> done(other.oidc.finish(back, ADDRESS)))
        .hasMessageContaining("more than ten minutes ago");
  }

  @Test
  void a_refusal_of_the_provider_is_told_by_a_word_that_there_is() throws Exception {
    var begun = done(node.oidc.begin());
    var back = back(begun);
    for (var error : Map.of("access_denied", "access_denied", "<b>x", "unknown error").entrySet()) {
      assertThatThrownBy(
              () ->
                  done(
                      other.oidc.finish(
                          new OidcSignIns.Return(
                              null, back.state(), back.issuer(), error.getKey(), begun.cookie()),
                          ADDRESS)))
          .hasMessageContaining("the provider refuses: " + error.getValue());
    }
  }

  @Test
  void a_provider_that_hangs_is_given_up_and_others_go_on() throws Exception {
    provider.person("s-1", "ada", "ops");
    signIn();
    provider.hang("/token");
    var asked = System.nanoTime();
    assertThatThrownBy(this::signIn)
        .isInstanceOfSatisfying(
            EventoException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.UNAVAILABLE));
    assertThat(Duration.ofNanos(System.nanoTime() - asked)).isLessThan(Duration.ofSeconds(8));
    done(node.administration.createUser("root", Set.of(Role.ADMIN), PASSWORD, ADMIN));
    assertThat(done(node.signIns.signIn("root", PASSWORD, ADDRESS)).name()).isEqualTo("root");
    provider.behave();
    assertThat(signIn().name()).isEqualTo("ada");
  }

  @Test
  void a_wrong_secret_of_the_client_is_not_told_to_whoever_signs_in() throws Exception {
    provider.person("s-1", "ada", "ops");
    Files.writeString(directory.resolve("secret"), "a wrong secret");
    isRefused(ErrorCode.UNAVAILABLE, "invalid_client");
    Files.writeString(directory.resolve("secret"), OidcProvider.SECRET);
    assertThat(signIn().name()).as("it is read each time").isEqualTo("ada");
  }

  @Test
  void whose_groups_have_no_role_is_refused_and_keeps_neither_roles_nor_sessions()
      throws Exception {
    provider.person("s-1", "ada", "gardeners");
    isRefused(ErrorCode.FORBIDDEN, "no group of ada has a role here");
    assertThat(string("select count(*) from evento.principal")).isEqualTo("0");
    await().atMost(LIMIT).until(() -> audit().equals(List.of("nobody | refuse | sign in ada")));

    provider.person("s-1", "ada", "ops");
    var begun = signIn();
    provider.person("s-1", "ada", "gardeners");
    isRefused(ErrorCode.FORBIDDEN, "no group of ada has a role here");
    await().atMost(LIMIT).until(() -> node.grants.session(begun.cookie(), ADDRESS, true).isEmpty());
    assertThat(audit()).contains("provider " + provider.issuer() + " | change roles | ada");
  }

  @Test
  void other_groups_are_other_roles_and_end_the_sessions_before() throws Exception {
    provider.person("s-1", "ada", "ops");
    var first = signIn();
    var second = signIn();
    assertThat(node.grants.session(first.cookie(), ADDRESS, true)).as("the same roles").isPresent();
    provider.person("s-1", "ada.of.a.new.name", "chiefs", "ops");
    var third = signIn();
    assertThat(node.grants.session(first.cookie(), ADDRESS, true)).isEmpty();
    assertThat(node.grants.session(second.cookie(), ADDRESS, true)).isEmpty();
    var caller = node.grants.session(third.cookie(), ADDRESS, true).orElseThrow().caller();
    assertThat(caller.has(Role.ADMIN)).isTrue();
    assertThat(caller.name()).as("the name that audits have").isEqualTo("ada");
    assertThat(node.grants.isArmed()).as("an administrator came in").isTrue();
  }

  @Test
  void nobody_takes_over_the_name_of_another() throws Exception {
    done(node.administration.createUser("ada", Set.of(Role.VIEWER), PASSWORD, ADMIN));
    provider.person("s-1", "ada", "chiefs");
    isRefused(ErrorCode.FORBIDDEN, "the name ada is another person's here");
    provider.person("s-2", "bob", "ops");
    signIn();
    provider.person("s-3", "bob", "chiefs");
    assertThatThrownBy(this::signIn).hasMessageContaining("another person's");
    assertThat(string("select roles::text from evento.principal where name = 'ada'"))
        .isEqualTo("{viewer}");
    provider.person("s-4", "-- x", "chiefs");
    assertThatThrownBy(this::signIn).hasMessageContaining("must start with a letter");
  }

  @Test
  void who_signs_in_by_a_provider_has_no_password() throws Exception {
    provider.person("s-1", "ada", "ops");
    signIn();
    assertThatThrownBy(() -> done(node.administration.setPassword("ada", PASSWORD, ADMIN)))
        .hasMessageContaining("has no password here");
    assertThatThrownBy(() -> done(node.signIns.signIn("ada", PASSWORD, ADDRESS)))
        .hasMessageContaining("name or password is wrong");
  }

  @Test
  void the_last_administrator_stays_one_and_has_no_session_once_the_provider_takes_the_role()
      throws Exception {
    provider.person("s-1", "ada", "chiefs");
    var begun = signIn();
    provider.person("s-1", "ada", "ops");
    assertThatThrownBy(this::signIn).hasMessageContaining("the last administrator");
    assertThat(string("select roles::text from evento.principal")).isEqualTo("{admin}");
    await().atMost(LIMIT).until(() -> node.grants.session(begun.cookie(), ADDRESS, true).isEmpty());

    provider.person("s-2", "bob", "chiefs");
    signIn();
    provider.person("s-1", "ada", "ops");
    assertThat(signIn().name()).isEqualTo("ada");
  }

  @Test
  void without_a_provider_there_is_no_such_door() {
    try (var plain = new RightsNode(where, "node-3")) {
      assertThatThrownBy(() -> done(plain.oidc.begin()))
          .isInstanceOfSatisfying(
              EventoException.class,
              refused -> assertThat(refused.code()).isEqualTo(ErrorCode.NOT_FOUND));
    }
  }
}
