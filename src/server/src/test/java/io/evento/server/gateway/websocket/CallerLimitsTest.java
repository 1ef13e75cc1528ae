package io.evento.server.gateway.websocket;

import static io.evento.server.gateway.websocket.Bank.bundle;
import static io.evento.server.gateway.websocket.Bank.host;
import static io.evento.server.gateway.websocket.Bank.read;
import static io.evento.server.gateway.websocket.Bank.send;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.Json;
import io.evento.protocol.LiveMessage;
import io.evento.protocol.ReplyMessage;
import io.evento.server.fixture.TestGrants;
import io.evento.server.gateway.WholeNode;
import io.evento.server.security.Grants;
import io.evento.server.setting.Setting;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One caller that takes all it can get leaves room for the others. */
class CallerLimitsTest {
  private static final int ALL = 6;
  private static final int OF_ONE = 4;

  private TestDatabase where;
  private WholeNode node;

  @BeforeEach
  void open() {
    where = PostgresFixture.shared().migrated();
    node =
        WholeNode.start(
            where,
            "a",
            Map.of(
                Setting.COMMANDS_WAITING_MAX, ALL,
                Setting.SESSIONS_MAX, ALL,
                Setting.LIVE_READERS_MAX, ALL,
                Setting.REQUESTS_PER_CREDENTIAL_MAX, OF_ONE,
                Setting.SESSIONS_PER_CREDENTIAL_MAX, OF_ONE,
                Setting.LIVE_READERS_PER_CREDENTIAL_MAX, OF_ONE),
            Map.of(Grants.class, TestGrants.class));
  }

  @AfterEach
  void close() {
    node.close();
    where.close();
  }

  @Test
  void whose_commands_are_answered_late_does_not_shut_out_others() {
    var hosting = Bank.open(node);
    var waiting = new CopyOnWriteArrayList<UUID>();
    hosting.script =
        message -> {
          if (message instanceof CommandMessage.Command command) {
            waiting.add(command.id());
          }
        };
    var greedy = Peer.greet(node, bundle("greedy", send("bank", "*")));
    for (var i = 0; i < 2 * ALL; i++) {
      greedy.say(Bank.greet(UUID.randomUUID()));
    }
    await().until(() -> waiting.size() == OF_ONE);
    await().until(() -> greedy.heard(ReplyMessage.Fault.class).size() == 2 * ALL - OF_ONE);
    assertThat(greedy.heard(ReplyMessage.Fault.class))
        .allSatisfy(
            fault -> {
              assertThat(fault.code()).isEqualTo(ErrorCode.OVERLOADED);
              assertThat(fault.detail()).contains("requests.per-credential-max");
            });
    var other = Peer.greet(node, bundle("other", send("bank", "*")));
    var id = UUID.randomUUID();
    other.say(Bank.greet(id));
    await("the other one's command").until(() -> waiting.contains(id));
    waiting.forEach(
        done -> hosting.say(new ReplyMessage.Result(done, null, new Json("\"hello\""))));
    assertThat(other.answer(id)).isInstanceOf(ReplyMessage.Result.class);
    var again = UUID.randomUUID();
    await().until(() -> greedy.heard(ReplyMessage.Result.class).size() == OF_ONE);
    greedy.say(Bank.greet(again));
    await("what was given back is there again").until(() -> waiting.contains(again));
  }

  @Test
  void who_opens_session_after_session_leaves_some() {
    var greedy = bundle("greedy", host("bank", "*"));
    for (var i = 0; i < OF_ONE; i++) {
      Peer.greet(node, greedy);
    }
    var last = Peer.connect(node, greedy);
    await().until(() -> last.closed() != null);
    assertThat(requireNonNull(last.closed()).getReasonPhrase())
        .startsWith("overloaded")
        .contains("sessions.per-credential-max");
    assertThat(Peer.greet(node, bundle("other", host("bank", "*"))).closed()).isNull();
  }

  @Test
  void who_follows_again_and_again_leaves_some() {
    var greedy = Peer.greet(node, bundle("greedy", read("*", "*")));
    for (var i = 0; i < ALL; i++) {
      greedy.say(follow(UUID.randomUUID()));
    }
    await().until(() -> greedy.heard(ReplyMessage.Fault.class).size() == ALL - OF_ONE);
    assertThat(greedy.heard(ReplyMessage.Fault.class))
        .allSatisfy(
            fault -> assertThat(fault.detail()).contains("live.readers-per-credential-max"));
    var other = Peer.greet(node, bundle("other", read("*", "*"), send("bank", "*")));
    other.say(follow(UUID.randomUUID()));
    Bank.append(node, bundle("writer", send("bank", "*")), "bank", "Opened");
    await().until(() -> other.heard(LiveMessage.Feed.class).size() > 0 || !faults(other).isEmpty());
    assertThat(faults(other)).isEmpty();
  }

  private static List<ReplyMessage.Fault> faults(Peer peer) {
    return peer.heard(ReplyMessage.Fault.class);
  }

  private static LiveMessage.Follow follow(UUID id) {
    return new LiveMessage.Follow(id, 0, null, null, null, null, null, null, 10);
  }
}
