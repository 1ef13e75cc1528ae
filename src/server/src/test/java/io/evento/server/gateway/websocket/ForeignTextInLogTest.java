package io.evento.server.gateway.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.fixture.TestGrants;
import io.evento.server.gateway.WholeNode;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import jakarta.websocket.CloseReason;
import jakarta.websocket.CloseReason.CloseCodes;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whoever speaks to a node gets no line of its own into the node's log. */
class ForeignTextInLogTest {
  private static final String FORGED = "2026-01-01 SEVERE everything is lost";

  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final Logger log = Logger.getLogger(BundleLink.class.getName());
  private final Handler handler =
      new Handler() {
        @Override
        public void publish(LogRecord said) {
          lines.add(said.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };
  private TestDatabase where;
  private WholeNode node;

  @BeforeEach
  void open() {
    where = PostgresFixture.shared().migrated();
    node = WholeNode.start(where, "a", Map.of(), Map.of(Grants.class, TestGrants.class));
    log.addHandler(handler);
  }

  @AfterEach
  void close() {
    log.removeHandler(handler);
    node.close();
    where.close();
  }

  @Test
  void an_error_about_nothing_is_told_in_one_line_of_bounded_length() {
    var peer = Peer.greet(node, Caller.developer("127.0.0.1"));
    peer.say(
        "{\"t\":\"error\",\"code\":\"internal\",\"detail\":\"x\\n"
            + FORGED
            + "x".repeat(100_000)
            + "\"}");
    assertThat(lines).anyMatch(line -> line.contains("could not read a message"));
    assertOneLineEach();
  }

  @Test
  void so_is_the_reason_of_whoever_leaves() {
    var peer = Peer.greet(node, Caller.developer("127.0.0.1"));
    peer.leave(new CloseReason(CloseCodes.NORMAL_CLOSURE, "x\r\n" + FORGED));
    assertThat(lines).anyMatch(line -> line.contains("session closed"));
    assertOneLineEach();
  }

  private void assertOneLineEach() {
    assertThat(lines)
        .allSatisfy(
            line ->
                assertThat(line)
                    .hasSizeLessThan(500)
                    .matches("[^\\p{Cntrl}]*")
                    .doesNotStartWith(FORGED));
  }
}
