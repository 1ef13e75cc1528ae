package io.evento.server.security;

import static io.evento.server.security.RightsNode.ADMIN;
import static io.evento.server.security.RightsNode.done;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.testing.LossyLink;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What nodes know of credentials, and how soon. */
class GrantsTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final List<Scope> BANK =
      List.of(new Scope(Right.HOST, "bank", "*"), new Scope(Right.SEND, "bank", "Open*"));

  private TestDatabase where;
  private RightsNode node;

  @BeforeEach
  void start() {
    where = PostgresFixture.shared().migrated();
    node = new RightsNode(where, "node-1");
    await().atMost(LIMIT).until(node.grants::isFresh);
  }

  @AfterEach
  void stop() {
    node.close();
    where.close();
  }

  private static ErrorCode refused(Runnable call) {
    try {
      call.run();
    } catch (EventoException refusal) {
      return refusal.code();
    }
    throw new AssertionError("was not refused");
  }

  private Administration.Made token(String bundle) throws Exception {
    return done(node.administration.createToken(bundle, null, BANK, ADMIN));
  }

  @Test
  void a_token_is_known_on_every_node_once_its_making_is_answered_and_on_none_once_it_is_revoked()
      throws Exception {
    try (var other = new RightsNode(where, "node-2")) {
      await().atMost(LIMIT).until(other.grants::isFresh);
      var made = token("bank");
      var caller = other.grants.authenticate(made.token(), "10.0.0.9");
      assertThat(caller.kind()).isEqualTo(Caller.Kind.BUNDLE);
      assertThat(caller.name()).isEqualTo("bank");
      assertThat(caller.address()).isEqualTo("10.0.0.9");
      assertThat(caller.may(Right.SEND, "bank", "OpenAccount")).isTrue();
      assertThat(caller.may(Right.SEND, "bank", "CloseAccount")).isFalse();
      assertThat(other.grants.isValid(caller)).isTrue();

      done(node.administration.revokeToken(made.prefix(), ADMIN));
      assertThat(other.grants.isValid(caller)).isFalse();
      assertThat(refused(() -> other.grants.authenticate(made.token(), "10.0.0.9")))
          .isEqualTo(ErrorCode.UNAUTHENTICATED);
    }
  }

  @Test
  void a_bundle_has_two_valid_tokens_at_most() throws Exception {
    var first = token("bank");
    var second = token("bank");
    assertThatThrownBy(() -> token("bank"))
        .hasMessage("bank has two valid tokens: revoke one of them first");
    done(node.administration.revokeToken(first.prefix(), ADMIN));
    var third = token("bank");
    assertThat(node.grants.authenticate(second.token(), "x").name()).isEqualTo("bank");
    assertThat(node.grants.authenticate(third.token(), "x").name()).isEqualTo("bank");
  }

  @Test
  void a_token_ends_at_its_time_and_whoever_watches_is_told() throws Exception {
    var told = new AtomicInteger();
    node.grants.onChange(told::incrementAndGet);
    var made = done(node.administration.createToken("bank", Duration.ofSeconds(2), BANK, ADMIN));
    var caller = node.grants.authenticate(made.token(), "x");
    await().atMost(LIMIT).until(() -> told.get() > 0);
    var before = told.get();
    await().atMost(LIMIT).until(() -> !node.grants.isValid(caller));
    await().atMost(LIMIT).until(() -> told.get() > before);
    assertThat(refused(() -> node.grants.authenticate(made.token(), "x")))
        .isEqualTo(ErrorCode.UNAUTHENTICATED);
  }

  @Test
  void other_scopes_end_what_began_with_the_former_ones() throws Exception {
    var made = token("bank");
    var caller = node.grants.authenticate(made.token(), "x");
    done(node.administration.setScopes("bank", List.of(new Scope(Right.READ, "*", "*")), ADMIN));
    assertThat(node.grants.isValid(caller)).isFalse();
    assertThat(node.grants.authenticate(made.token(), "x").hasAll(Right.READ)).isTrue();
  }

  @Test
  void a_node_that_cannot_read_knows_nobody_after_two_and_a_half_seconds_and_says_so()
      throws Exception {
    var made = token("bank");
    try (var link = LossyLink.to(where.port(), 1);
        var cut = new RightsNode(where.through(link), "node-3")) {
      await().atMost(LIMIT).until(cut.grants::isFresh);
      var caller = cut.grants.authenticate(made.token(), "x");
      var told = new AtomicInteger();
      cut.grants.onChange(told::incrementAndGet);
      var at = System.nanoTime();
      link.freeze();
      await()
          .pollInterval(Duration.ofMillis(50))
          .atMost(LIMIT)
          .until(() -> !cut.grants.isValid(caller));
      assertThat(Duration.ofNanos(System.nanoTime() - at)).isLessThan(Duration.ofMillis(3_500));
      assertThat(refused(() -> cut.grants.authenticate(made.token(), "x")))
          .isEqualTo(ErrorCode.UNAVAILABLE);
      await().atMost(LIMIT).until(() -> told.get() > 0);
      link.thaw();
      await().atMost(LIMIT).until(() -> cut.grants.isValid(caller));
    }
  }

  @Test
  void what_is_no_token_and_what_is_one_of_nobody_are_refused_alike() {
    for (var text : List.of("", "evt_", "x", Token.make().text())) {
      assertThat(refused(() -> node.grants.authenticate(text, "x")))
          .isEqualTo(ErrorCode.UNAUTHENTICATED);
    }
  }
}
