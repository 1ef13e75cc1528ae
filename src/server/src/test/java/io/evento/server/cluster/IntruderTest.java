package io.evento.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.server.persistence.Database;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jgroups.Address;
import org.jgroups.BytesMessage;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A program that knows every port of the links, speaks their protocol, heard what was on the wire
 * and may say that it is somebody else. It has no key, and gets nothing through.
 */
@SuppressWarnings("NullAway.Init") // made before each test
class IntruderTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** All that a node believes of a peer: who it is, events, a head, questions, acknowledgements. */
  private static final List<String> LIES =
      List.of(
          "Hnode-2",
          "hnode-2",
          ">fresh {\"base\":0,\"events\":[{\"type\":\"MoneyDeposited\"}]}",
          ">fresh {\"head\":999999}",
          "?1 command {}",
          "!1 {}",
          "P4096");

  private TestDatabase database;
  private LinkNode first;
  private LinkNode second;
  private JChannel intruder;
  private final Collection<String> words = new ConcurrentLinkedQueue<>();
  private final Collection<String> heard = new ConcurrentLinkedQueue<>();
  private final Collection<String> asked = new ConcurrentLinkedQueue<>();

  @BeforeEach
  void it_is_a_member_of_the_group() throws Exception {
    database = PostgresFixture.shared().migrated();
    first = new LinkNode(database, "node-1");
    second = new LinkNode(database, "node-2");
    await().atMost(LIMIT).until(() -> first.links.reaches("node-2"));
    await().atMost(LIMIT).until(() -> second.links.reaches("node-1"));
    for (var node : List.of(first, second)) {
      node.links.listen("word", (peer, body) -> words.add(peer + " " + body));
      node.links.listen("fresh", (peer, body) -> heard.add(peer + " " + body));
      node.links.answer(
          "command",
          (peer, body) -> {
            asked.add(peer);
            return CompletableFuture.completedStage("{}");
          });
    }
    var config = LinkNode.config(database, "intruder", Optional.empty());
    intruder = LinkStack.channel(config, new Database(config).pool());
    intruder.connect("evento");
    await().atMost(LIMIT).until(() -> intruder.getView().size() == 3);
  }

  @AfterEach
  void close() {
    intruder.close();
    second.close();
    first.close();
    database.close();
  }

  private Address address(String node) {
    return intruder.getView().getMembers().stream()
        .filter(member -> node.equals(member.toString()))
        .findFirst()
        .orElseThrow();
  }

  /** Under a name of one's choice; past what keeps order, which would notice. */
  private void say(Address from, Address to, byte[] frame) throws Exception {
    intruder.send(new BytesMessage(to, frame).setSrc(from).setFlag(Message.Flag.NO_RELIABILITY));
  }

  private static FrameSeal seal(byte[] key) {
    var seal = new FrameSeal(UUID.randomUUID());
    seal.use(List.of(new FrameSeal.Key(1, key, true)));
    return seal;
  }

  /** What the owner of the database has and no intruder: it stands for what he recorded. */
  private byte[] keyOfTheCluster() throws Exception {
    try (var connection = database.asAdmin();
        var statement = connection.createStatement();
        var row = statement.executeQuery("select key from evento.link_key where version = 1")) {
      row.next();
      return row.getBytes(1);
    }
  }

  /** The nodes still believe each other; whatever was said before this is heard by now. */
  private void nodesStillSpeak() {
    var word = UUID.randomUUID().toString();
    await()
        .atMost(LIMIT)
        .until(() -> second.links.send("node-1", "word", word) && words.contains("node-2 " + word));
    await()
        .atMost(LIMIT)
        .until(() -> first.links.send("node-2", "word", word) && words.contains("node-1 " + word));
  }

  @Test
  void lies_in_the_clear_or_under_a_key_of_its_own_are_not_heard_under_any_name() throws Exception {
    var ownKey = new byte[32];
    new Random(7).nextBytes(ownKey);
    var own = seal(ownKey);
    for (var to : List.of(address("node-1"), address("node-2"))) {
      for (var from : List.of(intruder.getAddress(), address("node-1"), address("node-2"))) {
        for (var lie : LIES) {
          var frame = lie.getBytes(StandardCharsets.UTF_8);
          say(from, to, frame);
          say(from, to, own.seal(frame, Links.way(from, to)));
        }
      }
    }
    nodesStillSpeak();
    assertThat(heard).isEmpty();
    assertThat(asked).isEmpty();
    assertThat(first.links.peers()).containsExactly("node-2");
    assertThat(second.links.peers()).containsExactly("node-1");
  }

  @Test
  void what_it_recorded_between_two_nodes_is_heard_once_and_from_nobody_else() throws Exception {
    var one = address("node-1");
    var two = address("node-2");
    var recorded =
        seal(keyOfTheCluster())
            .seal(">fresh recorded".getBytes(StandardCharsets.UTF_8), Links.way(two, one));
    say(intruder.getAddress(), one, recorded);
    say(one, two, recorded);
    nodesStillSpeak();
    assertThat(heard).as("said by, or to, somebody else").isEmpty();

    say(two, one, recorded);
    await("the first time it is a node's")
        .atMost(LIMIT)
        .until(() -> heard.contains("node-2 recorded"));
    for (var i = 0; i < 20; i++) {
      say(two, one, recorded);
    }
    nodesStillSpeak();
    assertThat(heard).as("the same bytes again").containsExactly("node-2 recorded");
  }

  @Test
  void garbage_at_every_port_and_in_every_length_disturbs_nobody() throws Exception {
    var random = new Random(11);
    for (var to : List.of(address("node-1"), address("node-2"))) {
      for (var length : List.of(0, 1, 27, 28, 44, 45, 4_096, 300_000)) {
        var garbage = new byte[length];
        random.nextBytes(garbage);
        say(intruder.getAddress(), to, garbage);
        say(address("node-2"), to, garbage);
      }
    }
    var open = new ArrayList<Socket>();
    for (var node : List.of(first, second)) {
      var link = node.config.link();
      for (var port : List.of(link.port(), link.failureDetectionPort())) {
        for (var greeting :
            List.of(
                "", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\u0016\u0003\u0001", "\0".repeat(99))) {
          var socket = new Socket(InetAddress.getLoopbackAddress(), port);
          open.add(socket);
          tell(socket, greeting);
        }
      }
    }
    nodesStillSpeak();
    assertThat(heard).isEmpty();
    for (var socket : open) {
      socket.close();
    }
    nodesStillSpeak();
  }

  private static void tell(Socket socket, String greeting) {
    try {
      socket.getOutputStream().write(greeting.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().flush();
    } catch (IOException refused) {
      assertThat(refused).isNotNull(); // as it should be
    }
  }
}
