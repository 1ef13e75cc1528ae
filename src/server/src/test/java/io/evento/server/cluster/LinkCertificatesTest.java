package io.evento.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.server.config.LinkTls;
import io.evento.testing.Authority;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With certificates on the links only who has one of a trusted authority gets a connection. */
class LinkCertificatesTest {
  private static final Duration LIMIT = Duration.ofSeconds(40);
  private static final Duration WHILE = Duration.ofSeconds(3);
  private static final String PASSWORD = "of the stores";

  @TempDir private Path directory;

  private Authority authority(String name) {
    return Authority.in(directory.resolve(name), name, PASSWORD);
  }

  private static LinkTls files(Authority own, String name, Authority... others) {
    return new LinkTls(own.issue(name).store(), own.trustStore(others), PASSWORD);
  }

  private static LinkNode node(TestDatabase database, String name, LinkTls files) throws Exception {
    return new LinkNode(database, name, Optional.of(files));
  }

  private static void find(LinkNode one, LinkNode other) {
    await().atMost(LIMIT).until(() -> one.links.reaches(other.config.node().name()));
    await().atMost(LIMIT).until(() -> other.links.reaches(one.config.node().name()));
  }

  @Test
  void nodes_of_one_authority_find_each_other_and_nobody_else_does() throws Exception {
    var ours = authority("ours");
    var theirs = authority("theirs");
    try (var database = PostgresFixture.shared().migrated();
        var first = node(database, "node-1", files(ours, "node-1"));
        var second = node(database, "node-2", files(ours, "node-2"))) {
      find(first, second);
      var foreign = new LinkTls(theirs.issue("x").store(), theirs.trustStore(ours), PASSWORD);
      // Both have the key of the database, so that nothing but the certificate is in their way.
      try (var stranger = node(database, "stranger", foreign);
          var bare = new LinkNode(database, "bare")) {
        await()
            .during(WHILE)
            .atMost(LIMIT)
            .untilAsserted(
                () -> {
                  assertThat(stranger.links.peers()).isEmpty();
                  assertThat(bare.links.peers()).isEmpty();
                  assertThat(first.links.peers()).containsExactly("node-2");
                  assertThat(second.links.peers()).containsExactly("node-1");
                });
      }
      assertThat(answerOf(first.config.link().port())).as("to whom speaks without TLS").isEmpty();
    }
  }

  /** Whatever is answered to who says hello as the plain protocol does. */
  private static byte[] answerOf(int port) throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout((int) LIMIT.toMillis());
      socket.getOutputStream().write(new byte[] {'b', 'e', 'l', 'a', 0, 0, 0, 6, 127, 0, 0, 1});
      var answer = socket.getInputStream().readNBytes(64);
      // An alert of TLS: no more than that it is no TLS.
      return answer.length > 0 && answer[0] == 21 ? new byte[0] : answer;
    } catch (SocketException cutOff) {
      return new byte[0];
    }
  }

  @Test
  void an_authority_is_changed_node_by_node_without_a_partition() throws Exception {
    var old = authority("old");
    var fresh = authority("fresh");
    try (var database = PostgresFixture.shared().migrated();
        var first = node(database, "node-1", files(old, "node-1", fresh))) {
      try (var second = node(database, "node-2", files(old, "node-2", fresh))) {
        find(first, second);
      }
      try (var second = node(database, "node-2", files(fresh, "node-2", old))) {
        find(first, second);
      }
    }
  }

  @Test
  void stores_without_what_is_needed_say_so() {
    var ours = authority("ours");
    var own = ours.issue("node-1").store();
    var trust = ours.trustStore();
    assertThat(LinkCertificates.context(new LinkTls(own, trust, PASSWORD))).isNotNull();
    assertThatThrownBy(() -> LinkCertificates.context(new LinkTls(trust, trust, PASSWORD)))
        .hasMessageStartingWith("there is no key in ");
    assertThatThrownBy(() -> LinkCertificates.context(new LinkTls(own, own, PASSWORD)))
        .hasMessageStartingWith("there is no trusted certificate in ");
    assertThatThrownBy(() -> LinkCertificates.context(new LinkTls(own, trust, "wrong")))
        .hasMessageStartingWith("no store of the links can be read by the password: ")
        .hasMessageNotContaining("wrong");
    assertThat(new LinkTls(own, trust, PASSWORD)).asString().doesNotContain(PASSWORD);
  }
}
