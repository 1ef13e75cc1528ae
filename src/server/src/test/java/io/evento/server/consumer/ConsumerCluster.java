package io.evento.server.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.ConsumerNode.Cluster;
import io.evento.server.consumer.Store.Draft;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Nodes of this room that see each other, on a database of their test's class, which is empty when
 * each test begins. What a test opened is closed with it, the last first.
 */
public final class ConsumerCluster
    implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private @Nullable TestDatabase database;
  private @Nullable Store store;
  private Cluster nodes = new Cluster();

  @Override
  public void beforeAll(ExtensionContext context) {
    database = PostgresFixture.shared().migrated();
  }

  @Override
  public void beforeEach(ExtensionContext context) throws SQLException {
    nodes = new Cluster();
    store = opened(Store.emptied(database()));
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    while (!open.isEmpty()) {
      open.pop().close();
    }
  }

  @Override
  public void afterAll(ExtensionContext context) {
    database().close();
  }

  public TestDatabase database() {
    return Objects.requireNonNull(database);
  }

  public Store store() {
    return Objects.requireNonNull(store);
  }

  public Cluster nodes() {
    return nodes;
  }

  /** Last position that was committed here. */
  public long head() {
    return store().head();
  }

  /** Closes it with the test, before all that was opened before. */
  public <T extends AutoCloseable> T opened(T one) {
    open.push(one);
    return one;
  }

  /** A node that runs. */
  public ConsumerNode node(String name) {
    return idle(name).start();
  }

  /** A node that does what it is told, and nothing by itself. */
  public ConsumerNode idle(String name) {
    return opened(new ConsumerNode(database(), name, nodes));
  }

  /** A node that runs, and has seen the head of the store. */
  public ConsumerNode ready(String name) {
    var node = node(name);
    await().until(() -> node.follower.head().isPresent());
    return node;
  }

  /** A bundle at a node whose projector handles what it is sent. */
  public HandlingBundle handling(
      ConsumerNode node,
      Component projector,
      BiConsumer<ConsumerMessage.Events, RecordedEvent> handler) {
    var bundle = opened(new HandlingBundle(node, UUID.randomUUID(), handler));
    bundle.connect(node.sessions, projector);
    return bundle;
  }

  /** A bundle at a node that remembers what it is sent, and answers when its test says so. */
  public RecordingBundle recording(ConsumerNode node, Component projector) {
    return new RecordingBundle(UUID.randomUUID()).connect(node.sessions, projector);
  }

  /** Commits one deposit after the other, as many as there are accounts named. */
  public List<RecordedEvent> append(String... accounts) throws SQLException {
    return append(List.of(accounts).stream().map(Draft::of).toList());
  }

  public List<RecordedEvent> append(List<Draft> drafts) throws SQLException {
    return store().append(nodes.followers(), drafts);
  }

  /** Commits a deposit to each account, again and again. */
  public List<RecordedEvent> appendRounds(int rounds, String... accounts) throws SQLException {
    var all = new ArrayList<RecordedEvent>();
    for (var round = 0; round < rounds; round++) {
      all.addAll(append(accounts));
    }
    return all;
  }

  /** Changes the database as its administrator, beside all that runs. */
  public void execute(String text) throws SQLException {
    try (var admin = database().asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(text);
    }
  }

  public void awaitOwned(int segments) {
    await()
        .until(
            () ->
                texts("select owner from evento.consumer_segment where owner is not null").size()
                    == segments);
  }

  /** Waits until all segments of all consumers are there. */
  public void awaitCheckpoints(long position) {
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(checkpoints()).isNotEmpty().allMatch(at -> at == position));
  }

  public List<Long> checkpoints() {
    return numbers("select checkpoint from evento.consumer_segment order by segment");
  }

  /** Positions of all dead letters; 0 for an outcome or a deadline. */
  public List<Long> letters() {
    return numbers("select position from evento.dead_letter order by position");
  }

  public List<Long> numbers(String query) {
    return texts(query).stream().map(Long::valueOf).toList();
  }

  /** The first column of what a query finds. */
  public List<String> texts(String query) {
    try (var admin = database().asAdmin();
        var select = admin.createStatement();
        var row = select.executeQuery(query)) {
      var found = new ArrayList<String>();
      while (row.next()) {
        found.add(row.getString(1));
      }
      return found;
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }
}
