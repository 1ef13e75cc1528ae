package io.evento.server.aggregate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.dispatch.Components;
import io.evento.bundle.dispatch.Dispatcher;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.thread.Threads;
import io.evento.protocol.Codec;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Message;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.routing.session.BundleSession;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A state of the past is made by whichever instance can, and keeps nobody from its work. */
@NullUnmarked
class PastStatesTest {
  record Count(@AggregateId String id) {}

  record Written(String text) {}

  @Aggregate
  record Diary(int pages) {
    @CommandHandler
    static Decision<Written> count(Count command, Diary state) {
      return Decision.reply(state == null ? 0 : state.pages);
    }

    @EventSourcingHandler
    static Diary written(Written event, Diary state) {
      return new Diary(state == null ? 1 : state.pages + 1);
    }
  }

  private TestDatabase database;
  private DecisionNode node;
  private PastStates states;
  private final DecideMessage.Aggregate diary =
      new DecideMessage.Aggregate("Diary", UUID.randomUUID().toString());

  @BeforeEach
  void writeThreePages() {
    database = PostgresFixture.shared().migrated();
    node = DecisionNode.up(database);
    states =
        new PastStates(
            node.routing.store.streams,
            node.snapshots,
            node.routing.handlers,
            node.routing.threads);
    var tip = Tip.EMPTY;
    for (var page = 0; page < 3; page++) {
      tip = node.write(diary.stream(), tip, "Written");
    }
  }

  @AfterEach
  void stop() {
    node.close();
    database.close();
  }

  @Test
  void any_instance_is_asked_and_not_the_one_that_decides_on_the_stream() {
    var instances = new ArrayList<Instance>();
    for (var i = 0; i < 4; i++) {
      instances.add(new Instance());
    }
    for (var look = 0; look < 60; look++) {
      assertThat(StoreNode.await(at(2)).state().text()).isEqualTo("{\"pages\":2}");
    }
    assertThat(instances).allSatisfy(one -> assertThat(one.asked).isNotEmpty());
  }

  @Test
  void a_command_that_nobody_hosts_any_more_is_not_in_the_way() {
    new Instance();
    var past = StoreNode.await(states.at(diary, List.of("Abandon", "Count"), 3));
    assertThat(past.state().text()).isEqualTo("{\"pages\":3}");
  }

  @Test
  void where_nobody_hosts_the_aggregate_that_is_said() {
    assertThatThrownBy(() -> StoreNode.await(at(3)))
        .hasMessageContaining("hosts the aggregate Diary, whose handlers alone can compute");
  }

  @Test
  void another_instance_is_asked_where_one_ends_meanwhile() {
    for (var i = 0; i < 2; i++) {
      new Instance().endsWhenAsked = true;
    }
    new Instance();
    for (var look = 0; look < 10; look++) {
      assertThat(StoreNode.await(at(3)).state().text()).isEqualTo("{\"pages\":3}");
    }
  }

  @Test
  void where_all_that_host_it_have_ended_the_last_one_says_why() {
    for (var i = 0; i < 2; i++) {
      new Instance().endsWhenAsked = true;
    }
    assertThatThrownBy(() -> StoreNode.await(at(3)))
        .satisfies(told -> assertThat(told.getMessage()).doesNotContain("hosts the aggregate"));
  }

  private CompletionStage<PastStates.Past> at(long version) {
    return states.at(diary, List.of("Count"), version);
  }

  /** One instance of a bundle, with the SDK's dispatcher behind its session. */
  private final class Instance implements BundleSession.Door {
    private final Components components =
        Components.of(List.of(Diary.class), new PayloadMapper(), false);
    private final Dispatcher dispatcher =
        new Dispatcher(components, null, (a, b) -> List.of(), Threads.own());
    private final List<Decide> asked = new CopyOnWriteArrayList<>();
    private final BundleSession session = node.routing.host(components.declared().get(0), this);
    private volatile boolean endsWhenAsked;

    @Override
    public boolean send(Message message, Lane lane) {
      var ask = (Decide) Codec.read(Codec.write(message));
      asked.add(ask);
      if (endsWhenAsked) {
        node.routing.sessions.remove(session);
      } else {
        dispatcher.decide(ask, this::answer);
      }
      return true;
    }

    private void answer(Message message) {
      var decided = (Decided) Codec.read(Codec.write(message));
      session.answered(decided.attempt(), decided);
    }
  }
}
