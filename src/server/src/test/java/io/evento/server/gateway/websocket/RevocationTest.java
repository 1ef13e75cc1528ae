package io.evento.server.gateway.websocket;

import static io.evento.server.gateway.websocket.Bank.bundle;
import static io.evento.server.gateway.websocket.Bank.host;
import static io.evento.server.gateway.websocket.Bank.read;
import static io.evento.server.gateway.websocket.Bank.send;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.LiveMessage;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.ReplyMessage;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.fixture.TestGrants;
import io.evento.server.gateway.WholeNode;
import io.evento.server.gateway.live.EventFeeds;
import io.evento.server.gateway.live.FeedSink;
import io.evento.server.routing.session.Sessions;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whose credential is not valid any more is cut off within two seconds, and nobody else is. */
class RevocationTest {
  private static final Duration IN_FORCE = Duration.ofSeconds(2);

  private TestDatabase where;
  private WholeNode node;
  private TestGrants grants;

  @BeforeEach
  void open() {
    where = PostgresFixture.shared().migrated();
    node = WholeNode.start(where, "a", Map.of(), Map.of(Grants.class, TestGrants.class));
    grants = (TestGrants) node.get(Grants.class);
  }

  @AfterEach
  void close() {
    node.close();
    where.close();
  }

  @Test
  void all_sessions_of_a_revoked_token_are_closed_with_4001_and_those_of_others_stay() {
    var bank = bundle("bank", host("bank", "*"), send("bank", "*"), read("*", "*"));
    var shop = bundle("shop", host("shop", "*"), read("*", "*"));
    var revoked = new ArrayList<Peer>();
    for (var i = 0; i < 20; i++) {
      revoked.add(Bank.open(node, bank));
    }
    var stays = Peer.greet(node, shop);
    var follows = UUID.randomUUID();
    revoked.get(0).say(new LiveMessage.Follow(follows, 0, null, null, null, null, null, null, 10));
    grants.revoke(bank);
    await()
        .atMost(IN_FORCE)
        .untilAsserted(
            () ->
                assertThat(revoked)
                    .allSatisfy(
                        peer -> {
                          assertThat(peer.closed()).isNotNull();
                          var closed = requireNonNull(peer.closed());
                          assertThat(closed.getCloseCode().getCode()).isEqualTo(4001);
                          assertThat(closed.getReasonPhrase()).isEqualTo("revoked");
                        }));
    assertThat(node.get(Sessions.class).hosting(Bank.GREET)).isEmpty();
    assertThat(stays.closed()).isNull();
    var id = UUID.randomUUID();
    assertThat(stays.ask(id, Bank.greet(id))).isInstanceOf(ReplyMessage.Fault.class);
  }

  @Test
  void what_a_revoked_consumer_had_leased_is_given_back() throws SQLException {
    var bank = bundle("bank", host("bank", "*"), read("*", "*"));
    var peer = Peer.greet(node, bank);
    Bank.declare(peer, Bank.projector("accounts", "bank", List.of("bank"), List.of()));
    await("a lease").atMost(Duration.ofSeconds(15)).until(() -> owned() == 1);
    grants.revoke(bank);
    await("no lease").atMost(Duration.ofSeconds(15)).until(() -> owned() == 0);
  }

  private int owned() throws SQLException {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement();
        var row =
            statement.executeQuery(
                "select count(*) from evento.consumer_segment where owner is not null")) {
      row.next();
      return row.getInt(1);
    }
  }

  @Test
  void a_live_reader_is_told_that_it_ends() {
    var reader = bundle("reader", read("*", "*"));
    var ended = new AtomicReference<FeedSink.End>();
    var feeds = node.get(EventFeeds.class);
    var from = node.get(Follower.class).head().orElseThrow();
    feeds.open(reader, EventFilter.ALL, from, sink(ended)).ring();
    var stays = new AtomicReference<FeedSink.End>();
    feeds.open(bundle("other", read("*", "*")), EventFilter.ALL, from, sink(stays)).ring();
    grants.revoke(reader);
    await().atMost(IN_FORCE).until(() -> ended.get() == FeedSink.End.REVOKED);
    assertThat(stays.get()).isNull();
  }

  private static FeedSink sink(AtomicReference<FeedSink.End> ended) {
    return new FeedSink() {
      @Override
      public int room() {
        return 10;
      }

      @Override
      public void events(List<RecordedEvent> events, StorePosition upTo) {}

      @Override
      public void beat(StorePosition upTo) {}

      @Override
      public void end(End why, String detail, StorePosition resume) {
        ended.set(why);
      }
    };
  }

  @Test
  void a_session_that_comes_with_a_credential_that_just_ended_does_not_stay() {
    var late = bundle("late", host("bank", "*"));
    grants.revoke(late);
    var peer = Peer.connect(node, late);
    await().atMost(IN_FORCE).until(() -> peer.closed() != null);
    assertThat(node.get(Sessions.class).all()).extracting(one -> one.caller()).doesNotContain(late);
  }

  @Test
  void the_developer_of_an_open_node_stays_whatever_is_revoked() {
    var peer = Bank.open(node, Caller.developer("127.0.0.1"));
    grants.revoke(bundle("bank"));
    assertThat(peer.closed()).isNull();
  }
}
