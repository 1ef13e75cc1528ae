package io.evento.scenario;

import static io.evento.bundle.gateway.QueryOptions.after;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.bundle.EventoBundle;
import io.evento.bundle.gateway.QueryListener;
import io.evento.protocol.EventoException;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Callers;
import io.evento.scenario.fixture.Callers.Entrance;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.EventStream;
import io.evento.scenario.workload.LiveBundle;
import io.evento.scenario.workload.LiveBundle.Balance;
import io.evento.scenario.workload.LiveBundle.LiveBalance;
import io.evento.scenario.workload.LiveBundle.LiveSums;
import io.evento.scenario.workload.LiveBundle.Sums;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Answers with their updates applied are what a fresh query says, whatever is killed. */
class LiveQueryIT {

  private static final Duration QUIET_MAX = Duration.ofSeconds(30);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  /** Adds up what it is told, as a page would. */
  private static final class Adding implements QueryListener<Sums, Sums> {
    private Sums sums = new Sums(0, 0, 0);
    private int answers;
    private int updates;
    private @Nullable EventoException end;

    @Override
    public synchronized void answered(@Nullable Sums view) {
      sums = view == null ? new Sums(0, 0, 0) : view;
      answers++;
    }

    @Override
    public synchronized void updated(Sums more) {
      sums = sums.plus(more);
      updates++;
    }

    @Override
    public synchronized void ended(EventoException why) {
      end = why;
    }

    synchronized Sums sums() {
      return sums;
    }

    synchronized String said() {
      return answers + " answers, " + updates + " updates" + (end == null ? "" : ", end " + end);
    }

    synchronized void told(String name, JsonNode data) {
      var told =
          new Sums(
              data.path("deposited").asLong(),
              data.path("withdrawn").asLong(),
              data.path("movements").asLong());
      if (name.equals("answer")) {
        answered(told);
      } else if (name.equals("update")) {
        updated(told);
      }
    }
  }

  @Test
  void under_load_and_kills_an_answer_with_its_updates_is_what_a_fresh_query_says()
      throws Exception {
    LiveBundle.createTable(cluster);
    var listeners = new ArrayList<Adding>();
    var subscribers = new ArrayList<AutoCloseable>();
    var instances = new ArrayList<>(List.of(LiveBundle.start(cluster), LiveBundle.start(cluster)));
    try {
      for (var i = 0; i < 3; i++) {
        var adding = new Adding();
        listeners.add(adding);
        var bundle =
            EventoBundle.named("watcher")
                .connect(
                    cluster.webSocket(cluster.node(1 + i % 3)),
                    cluster.webSocket(cluster.node(1 + (i + 1) % 3)))
                .start();
        subscribers.add(bundle);
        subscribers.add(bundle.queries().subscribe(new LiveSums(), Sums.class, Sums.class, adding));
      }
      var overHttp = new Adding();
      listeners.add(overHttp);
      subscribers.add(EventStream.post(cluster.doors(), "queries/LiveSums", "{}", overHttp::told));

      quiet(instances, listeners, 600, () -> cluster.node(1).kill());
      quiet(instances, listeners, 300, () -> cluster.start(cluster.node(1)));
      quiet(
          instances,
          listeners,
          400,
          () -> {
            instances.remove(0).close();
            instances.add(LiveBundle.start(cluster));
          });
      for (var listener : listeners) {
        System.out.println("live query: " + listener.said());
      }
    } finally {
      for (var subscriber : subscribers) {
        subscriber.close();
      }
      instances.forEach(LiveBundle::close);
    }
  }

  private interface Fault {
    void happens() throws Exception;
  }

  /** Load, a fault in the middle of it, and when all is quiet a look. */
  private static void quiet(
      List<LiveBundle> instances, List<Adding> listeners, int outcomes, Fault fault)
      throws Exception {
    try (var callers = Callers.movingMoney(cluster, 32, Entrance.EVERY_NODE, 50, 150)) {
      callers.awaitOutcomes(outcomes / 2);
      fault.happens();
      callers.awaitOutcomes(outcomes);
      callers.end();
    }
    var head = head();
    var fresh =
        await("all is projected")
            .atMost(QUIET_MAX)
            .ignoreExceptions()
            .until(
                () ->
                    instances
                        .get(instances.size() - 1)
                        .bundle()
                        .queries()
                        .ask(new LiveSums(), Sums.class, after(head)),
                sums -> sums != null);
    for (var listener : listeners) {
      await("what a fresh query says, at position " + head)
          .atMost(QUIET_MAX)
          .untilAsserted(() -> assertThat(listener.sums()).as(listener.said()).isEqualTo(fresh));
    }
  }

  private static long head() throws Exception {
    try (var connection = cluster.postgres().administrator();
        var statement = connection.createStatement();
        var row = statement.executeQuery("select coalesce(max(position), 0) from evento.event")) {
      row.next();
      return row.getLong(1);
    }
  }

  @Test
  void a_query_about_one_account_hears_of_that_account_alone_and_in_order() throws Exception {
    LiveBundle.createTable(cluster);
    var mine = Bank.account(cluster);
    var other = Bank.account(cluster);
    var heard = new ArrayList<Balance>();
    try (var live = LiveBundle.start(cluster);
        var subscription =
            live.bundle()
                .queries()
                .subscribe(
                    new LiveBalance(mine.account()),
                    Balance.class,
                    view -> {
                      synchronized (heard) {
                        heard.add(view);
                      }
                    })) {
      await("first answer").atMost(QUIET_MAX).until(() -> !movements(heard).isEmpty());
      for (var i = 1; i <= 20; i++) {
        mine.deposit(cluster.node(1 + i % 3), i);
        other.deposit(cluster.node(1 + i % 3), i);
      }
      // No count of them: an answer that is given anew stands for the updates before it.
      await("what the last deposit made of it")
          .atMost(QUIET_MAX)
          .untilAsserted(() -> assertThat(movements(heard)).endsWith(20L));
      assertThat(subscription.isOpen()).isTrue();
      assertThat(movements(heard)).isSorted();
      synchronized (heard) {
        assertThat(heard).allMatch(view -> view.accountId().equals(mine.account()));
      }
    }
  }

  private static List<Long> movements(List<Balance> heard) {
    synchronized (heard) {
      return heard.stream().map(Balance::movements).toList();
    }
  }

  @Test
  void what_cannot_be_subscribed_to_is_a_problem() throws Exception {
    var accept = new String[] {"Accept", "text/event-stream", "Content-Type", "application/json"};
    var door = cluster.door(cluster.node(1));
    assertThat(door.send("POST", "queries/Nobody", "{}", QUIET_MAX, accept).code())
        .isEqualTo("unknown-type");
    assertThat(door.send("POST", "queries/LiveSums", "{", QUIET_MAX, accept).code())
        .isEqualTo("invalid-request");
  }
}
