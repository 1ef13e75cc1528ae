package io.evento.server.consumer.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Json;
import io.evento.protocol.LiveMessage;
import io.evento.protocol.Message;
import io.evento.protocol.QueryMessage;
import io.evento.protocol.ReplyMessage;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.consumer.lease.OwnedSegments;
import io.evento.server.consumer.operation.Operations;
import io.evento.server.consumer.segment.Slots;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.fixture.Components;
import io.evento.server.routing.QueryNode;
import io.evento.server.security.Caller;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two versions of a read model change places while somebody asks, and somebody subscribes. */
class SubscriptionSwitchTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final String QUERY = "FindAccount";
  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private ConsumerNode node;
  private QueryNode routing;
  private LiveQueries live;

  @BeforeEach
  void start() {
    node = cluster.node("a");
    routing =
        cluster.opened(new QueryNode(cluster.database(), "a", node.sessions, node.shadowVersions));
    live = LiveNode.of(routing, new OwnedSegments(node.deliveries), node.threads);
    await("serves").atMost(PATIENCE).until(routing::isServing);
  }

  @Test
  void queries_and_subscriptions_are_answered_from_the_live_version_before_and_after_a_switch() {
    host(1);
    host(2);
    await("a shadow is known as one").atMost(PATIENCE).until(this::isShadowKnown);
    var heard = new Heard();
    live.subscribe(Caller.developer("test"), query(), heard);
    await("first answer").atMost(PATIENCE).until(() -> heard.answers.equals(List.of("1: 1")));
    assertThat(ask()).isEqualTo("1");

    for (var version : new int[] {2, 1}) {
      node.versionSwitch.to(new Operations.Asked("accounts", version, null, "test", null, false));
      await("asked elsewhere").atMost(PATIENCE).until(() -> ask().equals("" + version));
      await("answered anew from there")
          .atMost(PATIENCE)
          .until(() -> heard.last().endsWith(": " + version));
    }
    assertThat(heard.over).isEmpty();
  }

  private boolean isShadowKnown() {
    return node.shadowVersions.contains("accounts:2");
  }

  private void host(int version) {
    var component = Components.accounts(version, 2, QUERY);
    routing.declare(component);
    new ReadModel(version).connect(node.sessions, component);
    await("declared").atMost(PATIENCE).until(() -> owned(version) == 2);
  }

  private int owned(int version) {
    return node.deliveries.of("accounts:" + version, 0, Slots.COUNT - 1).size();
  }

  private static QueryMessage.Query query() {
    return new QueryMessage.Query(UUID.randomUUID(), QUERY, 5_000, null, Json.EMPTY_OBJECT);
  }

  private String ask() {
    return StoreNode.await(routing.queries.ask(Caller.developer("test"), query())).text();
  }

  /** A session whose projector has handled everything, and whose projection says its version. */
  private final class ReadModel extends RecordingBundle {
    private final Json version;

    ReadModel(int version) {
      super(UUID.randomUUID());
      this.version = new Json("" + version);
    }

    @Override
    public boolean send(Message message, Lane lane) {
      super.send(message, lane);
      if (message instanceof ConsumerMessage.Enable enabled) {
        node.consumers.credit(session, credit(enabled, 100));
      } else if (message instanceof ConsumerMessage.Events events) {
        node.consumers.ack(session, ack(events));
      } else if (message instanceof LiveMessage.Watch watch) {
        session.answered(
            watch.query().id(), new ReplyMessage.Result(watch.query().id(), null, Json.NULL));
      } else if (message instanceof QueryMessage.Query query) {
        session.answered(
            query.id(),
            query.progress() == null
                ? new ReplyMessage.Result(query.id(), null, version)
                : new LiveMessage.View(query.id(), 0, version, List.of()));
      }
      return true;
    }
  }

  /** What a subscriber hears. */
  private static final class Heard implements SubscriptionSink {
    final List<String> answers = new CopyOnWriteArrayList<>();
    final List<String> over = new CopyOnWriteArrayList<>();

    String last() {
      return answers.get(answers.size() - 1);
    }

    @Override
    public int room() {
      return 100;
    }

    @Override
    public void answer(int attempt, Json view) {
      answers.add(attempt + ": " + view.text());
    }

    @Override
    public void update(LiveMessage.Update update) {}

    @Override
    public void beat() {}

    @Override
    public void fail(EventoException told) {
      over.add(told.getMessage());
    }

    @Override
    public void end(String reason, String detail) {
      over.add(reason);
    }
  }
}
