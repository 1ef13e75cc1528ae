package io.evento.server.gateway.websocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.Json;
import io.evento.protocol.ReplyMessage;
import io.evento.server.consumer.outbox.Schedules;
import io.evento.server.fixture.TestGrants;
import io.evento.server.gateway.WholeNode;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What a node sends by itself, for sagas and for later: one type that is slow holds up no other.
 */
class SlowServiceTest {
  /** More than a node has on its way at once. */
  private static final int STALLED = 1_200;

  private static final int QUICK = 20;

  /** Less than it takes until the first of the stalled ones is given up. */
  private static final Duration SOON = Duration.ofSeconds(8);

  private final Caller developer = Caller.developer("127.0.0.1");
  private TestDatabase where;
  private WholeNode node;

  @BeforeEach
  void open() {
    where = PostgresFixture.shared().migrated();
    node = WholeNode.start(where, "a", Map.of(), Map.of(Grants.class, TestGrants.class));
  }

  @AfterEach
  void close() {
    node.close();
    where.close();
  }

  @Test
  void a_service_that_does_not_answer_does_not_hold_up_the_commands_of_another() {
    var peer = Peer.greet(node, developer);
    var stalled = ConcurrentHashMap.<UUID>newKeySet();
    var done = ConcurrentHashMap.<UUID>newKeySet();
    peer.script = message -> take(peer, message, stalled, done);
    Bank.declare(peer, Bank.service("Slow", "bank", "Stall"));
    Bank.declare(peer, Bank.service("Greeter", "bank", Bank.GREET));
    for (var i = 0; i < STALLED; i++) {
      schedule("Stall");
    }
    await("the slow one has its share").atMost(SOON).until(() -> stalled.size() >= 100);
    for (var i = 0; i < QUICK; i++) {
      schedule(Bank.GREET);
    }
    await("the quick ones").atMost(SOON).until(() -> done.size() == QUICK);
    assertThat(stalled).as("what the slow one was given").hasSizeLessThan(STALLED / 2);
  }

  private static void take(Peer peer, Object message, Set<UUID> stalled, Set<UUID> done) {
    if (message instanceof CommandMessage.Command command && command.type().equals("Stall")) {
      stalled.add(command.id());
    } else if (message instanceof CommandMessage.Command command) {
      peer.say(new ReplyMessage.Result(command.id(), null, new Json("\"hello\"")));
      done.add(command.id());
    }
  }

  private void schedule(String type) {
    node.get(Schedules.class)
        .add(
            developer,
            new CommandMessage.Schedule(
                UUID.randomUUID(), type, 0L, null, null, null, null, null, Json.EMPTY_OBJECT))
        .toCompletableFuture()
        .orTimeout(10, TimeUnit.SECONDS)
        .join();
  }
}
