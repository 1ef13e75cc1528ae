package io.evento.bundle.dispatch;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.Boundary;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InitialState;
import io.evento.bundle.api.Projection;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.api.Service;
import io.evento.bundle.api.Tag;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.thread.Threads;
import io.evento.protocol.CommandMessage.Command;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.Criterion;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.QueryMessage.Query;
import io.evento.protocol.ReplyMessage.Fault;
import io.evento.protocol.Tip;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What waited in a bundle beyond its deadline reaches no handler. */
@org.junit.jupiter.api.Tag("I8")
class ExpiredRequestsTest {
  private static final Duration SHORT = ofMillis(100);
  private static final Duration LIMIT = ofSeconds(10);

  /** So many services, and as many projections, are at work side by side. */
  private static final int AT_WORK = 64;

  /** Handlers of aggregates and boundaries are static, so what they meet is found by its name. */
  private static final Set<String> handled = ConcurrentHashMap.newKeySet();

  private static volatile CountDownLatch gate = new CountDownLatch(0);

  record Deposit(@AggregateId String account, String name) {}

  record Book(@Tag("room") String room, String name) {}

  record Done() {}

  record Booked(@Tag("room") String room) {}

  record Pay(String name) {}

  record Find(String name) {}

  @Aggregate
  record Account() {
    @CommandHandler
    static Done deposit(Deposit command) throws InterruptedException {
      handle(command.name());
      return new Done();
    }

    @EventSourcingHandler
    static Account done(Done event) {
      return new Account();
    }
  }

  @Boundary
  record Booking(String room) {
    @InitialState
    static Booking of(Book command) throws InterruptedException {
      handle(command.name());
      return new Booking(command.room());
    }

    @CommandHandler
    Booked book(Book command) {
      return new Booked(command.room());
    }

    @EventSourcingHandler
    Booking booked(Booked event) {
      return this;
    }
  }

  @Service
  static class Payments {
    @CommandHandler
    void pay(Pay command) throws InterruptedException {
      handle(command.name());
    }
  }

  @Projection(projector = "accounts")
  static class Accounts {
    @QueryHandler
    String find(Find query) throws InterruptedException {
      handle(query.name());
      return "found";
    }
  }

  private static void handle(String name) throws InterruptedException {
    handled.add(name);
    gate.await();
  }

  private final Dispatcher dispatcher =
      new Dispatcher(
          Components.of(
              List.of(Account.class, Booking.class, new Payments(), new Accounts()),
              new PayloadMapper(),
              false),
          null,
          (connection, consumer) -> List.of(),
          Threads.own());
  private final List<Message> answers = new CopyOnWriteArrayList<>();

  @BeforeEach
  void shut() {
    handled.clear();
    gate = new CountDownLatch(1);
  }

  @AfterEach
  void open() {
    gate.countDown();
    dispatcher.close();
  }

  @Test
  void a_decision_behind_another_of_its_stream_is_neither_made_nor_answered() {
    decide("first", LIMIT);
    await().atMost(LIMIT).until(() -> handled.contains("first"));
    decide("late", SHORT);
    decide("last", LIMIT);
    pass(SHORT);
    gate.countDown();
    await().atMost(LIMIT).until(() -> answers.size() == 2 && dispatcher.unanswered() == 0);
    assertThat(handled).containsExactlyInAnyOrder("first", "last");
  }

  @Test
  void a_boundarys_decision_behind_another_of_its_key_is_neither_made_nor_answered() {
    consider("first", LIMIT);
    await().atMost(LIMIT).until(() -> handled.contains("first"));
    consider("late", SHORT);
    consider("last", LIMIT);
    pass(SHORT);
    gate.countDown();
    await().atMost(LIMIT).until(() -> answers.size() == 2 && dispatcher.unanswered() == 0);
    assertThat(handled).containsExactlyInAnyOrder("first", "last");
  }

  @Test
  void a_service_without_a_free_thread_is_not_run_and_its_node_told_so() {
    for (var i = 0; i < AT_WORK; i++) {
      pay("at work " + i, LIMIT);
    }
    await().atMost(LIMIT).until(() -> handled.size() == AT_WORK);
    var late = pay("late", SHORT);
    pass(SHORT);
    gate.countDown();
    await().atMost(LIMIT).until(() -> answers.size() == AT_WORK + 1);
    assertThat(handled).doesNotContain("late");
    assertTold(late);
  }

  @Test
  void a_query_without_a_free_thread_is_not_answered_from_the_read_model() {
    for (var i = 0; i < AT_WORK; i++) {
      find("at work " + i, LIMIT);
    }
    await().atMost(LIMIT).until(() -> handled.size() == AT_WORK);
    var late = find("late", SHORT);
    pass(SHORT);
    gate.countDown();
    await().atMost(LIMIT).until(() -> answers.size() == AT_WORK + 1);
    assertThat(handled).doesNotContain("late");
    assertTold(late);
  }

  private void assertTold(UUID late) {
    assertThat(answers)
        .filteredOn(Fault.class::isInstance)
        .singleElement()
        .satisfies(
            told -> {
              var fault = (Fault) told;
              assertThat(fault.id()).isEqualTo(late);
              assertThat(fault.code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
              assertThat(fault.detail()).contains("was not run");
            });
  }

  private void decide(String name, Duration deadline) {
    dispatcher.decide(
        new Decide(
            UUID.randomUUID(),
            "Deposit",
            7,
            new DecideMessage.Aggregate("Account", "a-1"),
            Tip.EMPTY,
            null,
            false,
            (int) deadline.toMillis(),
            null,
            null,
            new Json("{\"account\":\"a-1\",\"name\":\"" + name + "\"}")),
        answers::add);
  }

  private void consider(String name, Duration deadline) {
    dispatcher.decideBoundary(
        new DecideBoundary(
            UUID.randomUUID(),
            "Book",
            7,
            "Booking",
            "r-1",
            List.of(new Criterion(List.of("Booked"), List.of("room:r-1"))),
            0,
            List.of(),
            false,
            (int) deadline.toMillis(),
            null,
            null,
            new Json("{\"room\":\"r-1\",\"name\":\"" + name + "\"}")),
        answers::add);
  }

  private UUID pay(String name, Duration deadline) {
    var id = UUID.randomUUID();
    dispatcher.run(
        new Command(id, "Pay", null, (int) deadline.toMillis(), null, null, named(name)),
        answers::add);
    return id;
  }

  private UUID find(String name, Duration deadline) {
    var id = UUID.randomUUID();
    dispatcher.answer(
        new Query(id, "Find", (int) deadline.toMillis(), null, named(name)), answers::add);
    return id;
  }

  private static Json named(String name) {
    return new Json("{\"name\":\"" + name + "\"}");
  }

  /** The time itself is what happens here, nothing is waited for. */
  private static void pass(Duration time) {
    await().pollDelay(time.plusMillis(50)).atMost(LIMIT).until(() -> true);
  }
}
