package io.evento.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.server.persistence.Database;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jgroups.BytesMessage;
import org.jgroups.JChannel;
import org.jgroups.Receiver;
import org.junit.jupiter.api.Test;

/** Nodes find each other through their database, and nobody else. */
class LinksTest {

  private static final Duration LIMIT = Duration.ofSeconds(20);

  @Test
  void nodes_of_one_database_find_each_other_also_when_one_comes_back() throws Exception {
    try (var database = PostgresFixture.shared().migrated();
        var first = new LinkNode(database, "node-1");
        var second = new LinkNode(database, "node-2")) {
      await().atMost(LIMIT).until(() -> first.links.reaches("node-2"));
      await().atMost(LIMIT).until(() -> second.links.reaches("node-1"));
      second.close();
      try (var again = new LinkNode(database, "node-2")) {
        await().atMost(LIMIT).until(() -> again.links.reaches("node-1"));
        await().atMost(LIMIT).until(() -> first.links.reaches("node-2"));
      }
    }
  }

  @Test
  void nodes_of_a_copy_do_not_join_those_of_the_original() throws Exception {
    try (var original = PostgresFixture.shared().migrated();
        var first = new LinkNode(original, "node-1");
        var second = new LinkNode(original, "node-2")) {
      await().atMost(LIMIT).until(() -> first.links.reaches("node-2"));
      try (var copy = PostgresFixture.shared().migrated()) {
        copyClusterTables(original, copy);
        try (var third = new LinkNode(copy, "node-1");
            var fourth = new LinkNode(copy, "node-3")) {
          await().atMost(LIMIT).until(() -> third.links.reaches("node-3"));
          await()
              .during(Duration.ofSeconds(3))
              .atMost(LIMIT)
              .untilAsserted(
                  () -> {
                    assertThat(third.links.peers()).containsExactly("node-3");
                    assertThat(fourth.links.peers()).containsExactly("node-1");
                    assertThat(first.links.peers()).containsExactly("node-2");
                    assertThat(second.links.peers()).containsExactly("node-1");
                  });
        }
      }
    }
  }

  @Test
  void a_stranger_who_joins_the_group_is_neither_heard_nor_told_anything() throws Exception {
    try (var database = PostgresFixture.shared().migrated();
        var first = new LinkNode(database, "node-1");
        var second = new LinkNode(database, "node-2")) {
      await().atMost(LIMIT).until(() -> first.links.reaches("node-2"));
      var believed = new ConcurrentLinkedQueue<String>();
      first.links.listen("fresh", (peer, body) -> believed.add(peer + " " + body));
      var told = new ConcurrentLinkedQueue<String>();
      try (var stranger = stranger(database, told)) {
        await().atMost(LIMIT).until(() -> stranger.getView().size() == 3);
        for (var node : stranger.getView().getMembers()) {
          for (var line : List.of("Hnode-2", "hnode-2", ">fresh {}", "?1 command {}", "P1")) {
            if (!node.equals(stranger.getAddress())) {
              stranger.send(new BytesMessage(node, line.getBytes(StandardCharsets.UTF_8)));
            }
          }
        }
        await("nodes have greeted it").atMost(LIMIT).until(() -> told.size() > 4);
        second.links.send("node-1", "fresh", "of a node");
        await().atMost(LIMIT).until(() -> believed.contains("node-2 of a node"));
        assertThat(believed).hasSize(1);
        assertThat(first.links.peers()).containsExactly("node-2");
        assertThat(told).noneMatch(frame -> frame.contains("node-"));
      }
    }
  }

  /** Knows the ports and where nodes are to be found, but no key. */
  private static JChannel stranger(TestDatabase where, Collection<String> told) throws Exception {
    var config = LinkNode.config(where, "stranger", Optional.empty());
    var channel = LinkStack.channel(config, new Database(config).pool());
    channel.setReceiver(
        new Receiver() {
          @Override
          public void receive(org.jgroups.Message message) {
            told.add(
                new String(
                    message.getArray(),
                    message.getOffset(),
                    message.getLength(),
                    StandardCharsets.ISO_8859_1));
          }
        });
    return channel.connect("evento");
  }

  /** As they come with a dump, some time ago. */
  private static void copyClusterTables(TestDatabase from, TestDatabase to) throws SQLException {
    try (var source = from.asAdmin();
        var target = to.asAdmin();
        var read = source.createStatement();
        var write = target.createStatement()) {
      for (var table : List.of("node", "jgroups")) {
        try (var rows = read.executeQuery("select to_json(t)::text from evento." + table + " t")) {
          while (rows.next()) {
            write.execute(
                "insert into evento.%1$s select * from json_populate_record(null::evento.%1$s, '%2$s')"
                    .formatted(table, rows.getString(1)));
          }
        }
      }
      write.execute("update evento.node set seen_at = seen_at - interval '1 minute'");
    }
  }
}
