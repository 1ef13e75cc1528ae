package io.evento.bundle;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.CommandMetadata;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Projection;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.api.Service;
import io.evento.bundle.gateway.CommandOptions;
import io.evento.bundle.gateway.QueryOptions;
import io.evento.protocol.CommandMessage.Command;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DeclareMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.QueryMessage.Query;
import io.evento.protocol.Receipt;
import io.evento.protocol.Rejection;
import io.evento.protocol.Rendezvous;
import io.evento.protocol.ReplyMessage.Fault;
import io.evento.protocol.ReplyMessage.Result;
import io.evento.protocol.SessionMessage;
import io.evento.protocol.SessionMessage.Drain;
import io.evento.protocol.Tip;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A bundle against scripted nodes over real WebSockets. */
@NullUnmarked
class EventoBundleTest {
  record Make(@AggregateId String thing) {}

  record Made(String by) {}

  record Note(String text) {}

  record Slow(int millis) {}

  record Ask(String what) {}

  record View(String text) {}

  @Aggregate
  record Thing(String by) {
    @CommandHandler
    static Made make(Make command) {
      return new Made("us");
    }

    @EventSourcingHandler
    static Thing made(Made event) {
      return new Thing(event.by());
    }
  }

  @Service
  static class Notes {
    final AtomicReference<EventoBundle> bundle = new AtomicReference<>();
    final CountDownLatch started = new CountDownLatch(1);

    @CommandHandler
    CompletionStage<String> note(Note command, CommandMetadata metadata) {
      if (command.text().equals("block")) {
        bundle.get().commands().send(new Make("x"));
      }
      return CompletableFuture.completedFuture(metadata.commandId() + " " + command.text());
    }

    @CommandHandler
    Decision<Void> slow(Slow command) throws InterruptedException {
      started.countDown();
      Thread.sleep(command.millis());
      return Decision.reject("too-slow", "millis", command.millis());
    }
  }

  @Projection(projector = "things")
  static class Things {
    @QueryHandler
    View find(Ask query) {
      return query.what().equals("nothing") ? null : new View("found " + query.what());
    }
  }

  private final List<AutoCloseable> open = new ArrayList<>();
  private final Notes notes = new Notes();

  @AfterEach
  void close_all() throws Exception {
    for (var i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
  }

  private ScriptedNode node(String id) {
    var node = make(id);
    open.add(node);
    return node;
  }

  /** A node to speak to over what this class is about. */
  ScriptedNode make(String id) {
    return new ScriptedNode(id);
  }

  private EventoBundle bundle(String... urls) {
    var bundle =
        EventoBundle.named("test").connect(urls).register(Thing.class, notes, new Things()).start();
    open.add(bundle);
    notes.bundle.set(bundle);
    return bundle;
  }

  private static Receipt receipt(Command command, int version) {
    return new Receipt(
        command.id(),
        new Receipt.Stream("Thing", "t", version),
        9L,
        null,
        List.of(new Receipt.Stored(9, version, "Made")),
        new Json("17"),
        false);
  }

  private static void acknowledge(ScriptedNode node, Message message) {
    if (message instanceof Command command) {
      node.tell(new Result(command.id(), receipt(command, 1), null));
    }
  }

  private static Fault fault(UUID id, ErrorCode code, int retryAfter) {
    return new Fault(id, code, "said so", List.of(), null, null, retryAfter);
  }

  private static EventoException failureOf(CompletionStage<?> stage) {
    try {
      stage.toCompletableFuture().join();
      throw new AssertionError("did not fail");
    } catch (CompletionException failure) {
      return (EventoException) failure.getCause();
    }
  }

  @Test
  void a_command_is_sent_with_all_that_was_said_and_its_receipt_comes_back() {
    var node = node("n1");
    node.script = EventoBundleTest::acknowledge;
    var bundle = bundle(node.url());
    var id = UUID.randomUUID();
    var receipt =
        bundle
            .commands()
            .send(
                new Make("t"),
                CommandOptions.options()
                    .withId(id)
                    .within(ofSeconds(3))
                    .onlyAtVersion(0)
                    .withMetadata(Map.of("user", "ann"))
                    .inFlow("flow", "cause"));
    assertThat(receipt.commandId()).isEqualTo(id);
    assertThat(bundle.commands().value(receipt, Integer.class)).isEqualTo(17);
    var sent = node.received(Command.class).get(0);
    assertThat(sent.deadline()).isBetween(1, 3_000);
    assertThat(sent)
        .isEqualTo(
            new Command(
                id,
                "Make",
                0L,
                sent.deadline(),
                null,
                "flow",
                "cause",
                new Json("{\"user\":\"ann\"}"),
                new Json("{\"thing\":\"t\"}")));
  }

  @Test
  void a_command_is_sent_again_under_the_same_id_when_its_session_dies() {
    var node = node("n1");
    var bundle = bundle(node.url());
    node.script =
        (self, message) -> {
          if (self.received(Command.class).size() == 1) {
            self.cut();
          } else {
            acknowledge(self, message);
          }
        };
    var receipt = bundle.commands().send(new Make("t"));
    assertThat(node.received(Command.class))
        .hasSize(2)
        .allMatch(command -> command.id().equals(receipt.commandId()));
  }

  @Test
  void a_node_that_dies_is_replaced_by_the_other_at_once() {
    var one = node("n1");
    var two = node("n2");
    var members = List.of(ScriptedNode.member("n1"), ScriptedNode.member("n2"));
    one.members = members;
    two.members = members;
    var bundle = bundle(one.url(), two.url());
    await().atMost(ofSeconds(5)).until(() -> one.sessions() == 1 && two.sessions() == 1);
    await().atMost(ofSeconds(5)).until(() -> !two.received(DeclareMessage.Declare.class).isEmpty());
    var owner = Rendezvous.choose("Thing:t", List.of("n1", "n2")).orElseThrow();
    var first = owner.equals("n1") ? one : two;
    var other = owner.equals("n1") ? two : one;
    first.script = (self, message) -> self.cut();
    other.script = EventoBundleTest::acknowledge;
    bundle.commands().send(new Make("t"));
    assertThat(first.received(Command.class)).hasSize(1);
    assertThat(other.received(Command.class)).hasSize(1);
  }

  @Test
  void what_passes_is_tried_again_until_it_has_passed() {
    var node = node("n1");
    node.script =
        (self, message) -> {
          if (message instanceof Command command) {
            switch (self.received(Command.class).size()) {
              case 1 -> self.tell(fault(command.id(), ErrorCode.OVERLOADED, 300));
              case 2 -> self.tell(fault(command.id(), ErrorCode.NO_HANDLER, 0));
              case 3 -> self.tell(fault(command.id(), ErrorCode.DEADLINE_EXCEEDED, 0));
              default -> acknowledge(self, message);
            }
          }
        };
    var started = System.nanoTime();
    bundle(node.url()).commands().send(new Make("t"));
    assertThat(node.received(Command.class)).hasSize(4);
    assertThat(Duration.ofNanos(System.nanoTime() - started)).isGreaterThan(ofMillis(300));
  }

  @Test
  void at_its_deadline_a_command_says_what_is_known_of_it() {
    var node = node("n1");
    var bundle = bundle(node.url());
    var options = CommandOptions.options().within(ofMillis(400));
    var silent = failureOf(bundle.commands().sendAsync(new Make("t"), options));
    assertThat(silent.code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
    assertThat(silent.commandId()).isNotNull();
    node.script =
        (self, message) -> self.tell(fault(((Command) message).id(), ErrorCode.NO_HANDLER, 0));
    assertThat(failureOf(bundle.commands().sendAsync(new Make("t"), options)).code())
        .isEqualTo(ErrorCode.NO_HANDLER);
  }

  @Test
  void a_rejection_is_final() {
    var node = node("n1");
    var rejection = new Rejection("no", "why", new Json("{\"a\":1}"));
    node.script =
        (self, message) -> {
          if (message instanceof Command command) {
            self.tell(
                new Fault(command.id(), ErrorCode.REJECTED, "no", List.of(), rejection, null, 0));
          }
        };
    var bundle = bundle(node.url());
    assertThatThrownBy(() -> bundle.commands().send(new Make("t")))
        .isInstanceOfSatisfying(
            EventoException.class, told -> assertThat(told.rejection()).isEqualTo(rejection));
    assertThat(node.received(Command.class)).hasSize(1);
  }

  @Test
  void a_payload_above_the_limit_is_not_sent() {
    var node = node("n1");
    var bundle = bundle(node.url());
    assertThat(failureOf(bundle.commands().sendAsync(new Make("ä".repeat(500)))).code())
        .isEqualTo(ErrorCode.PAYLOAD_TOO_LARGE);
    assertThat(node.received(Command.class)).isEmpty();
  }

  @Test
  void a_query_is_answered_and_null_is_an_answer() {
    var node = node("n1");
    node.script =
        (self, message) -> {
          if (!(message instanceof Query query)) {
            return;
          }
          var answer =
              query.payload().text().contains("nothing")
                  ? Json.NULL
                  : new Json("{\"text\":\"found\"}");
          self.tell(new Result(query.id(), null, answer));
        };
    var queries = bundle(node.url()).queries();
    assertThat(queries.ask(new Ask("it"), View.class)).isEqualTo(new View("found"));
    assertThat(queries.ask(new Ask("nothing"), View.class, QueryOptions.within(ofSeconds(2))))
        .isNull();
  }

  @Test
  void a_decision_is_made_and_answered() {
    var node = node("n1");
    bundle(node.url());
    var stream = new DecideMessage.Aggregate("Thing", "t");
    var id = UUID.randomUUID();
    node.tell(
        new Decide(
            id,
            "Make",
            7,
            stream,
            Tip.EMPTY,
            null,
            false,
            1_000,
            null,
            null,
            new Json("{\"thing\":\"t\"}")));
    await().atMost(ofSeconds(5)).until(() -> !node.received(Decided.class).isEmpty());
    var decided = node.received(Decided.class).get(0);
    assertThat(decided.id()).isEqualTo(id);
    assertThat(decided.events().get(0).payload()).isEqualTo(new Json("{\"by\":\"us\"}"));
  }

  private Message run(ScriptedNode node, Object payload, String type) {
    var id = UUID.randomUUID();
    var json = new Json(payload.toString());
    node.tell(
        type.equals("Ask")
            ? new Query(id, type, 2_000, null, json)
            : new Command(id, type, null, 2_000, null, null, json));
    var answer = new AtomicReference<Message>();
    await()
        .atMost(ofSeconds(5))
        .until(
            () -> {
              node.received.stream()
                  .filter(
                      message ->
                          (message instanceof Result result && id.equals(result.id()))
                              || (message instanceof Fault fault && id.equals(fault.id())))
                  .forEach(answer::set);
              return answer.get() != null;
            });
    return answer.get();
  }

  @Test
  void services_and_projections_answer_with_values_rejections_and_failures() {
    var node = node("n1");
    bundle(node.url());
    var noted = (Result) run(node, "{\"text\":\"a\"}", "Note");
    assertThat(noted.payload()).isEqualTo(new Json("\"" + noted.id() + " a\""));
    var rejected = (Fault) run(node, "{\"millis\":1}", "Slow");
    assertThat(rejected.code()).isEqualTo(ErrorCode.REJECTED);
    assertThat(rejected.rejection().details()).isEqualTo(new Json("{\"millis\":1}"));
    var invalid = (Fault) run(node, "{}", "Slow");
    assertThat(invalid.errors().get(0).pointer()).isEqualTo("/millis");
    var view = (Result) run(node, "{\"what\":\"x\"}", "Ask");
    assertThat(view.payload()).isEqualTo(new Json("{\"text\":\"found x\"}"));
    assertThat(((Result) run(node, "{\"what\":\"nothing\"}", "Ask")).payload())
        .isEqualTo(Json.NULL);
    assertThat(((Fault) run(node, "{}", "Unknown")).code()).isEqualTo(ErrorCode.NO_HANDLER);
  }

  @Test
  void a_handler_that_would_wait_for_a_command_is_told_what_to_do() {
    var node = node("n1");
    bundle(node.url());
    var told = (Fault) run(node, "{\"text\":\"block\"}", "Note");
    assertThat(told.code()).isEqualTo(ErrorCode.HANDLER_FAILED);
    assertThat(told.detail()).contains("use sendAsync and return its CompletionStage");
  }

  @Test
  void behind_a_balancer_two_nodes_are_met_and_no_more_sessions_kept() {
    var balancer = node("n1");
    balancer.members =
        List.of(ScriptedNode.member("n1"), ScriptedNode.member("n2"), ScriptedNode.member("n3"));
    bundle(balancer.url());
    await()
        .atMost(ofSeconds(10))
        .until(() -> balancer.received(SessionMessage.Hello.class).size() >= 3);
    assertThat(balancer.sessions()).as("others that led to n1 were closed").isLessThanOrEqualTo(2);
    balancer.id = "n2";
    await()
        .atMost(ofSeconds(10))
        .until(() -> balancer.received(DeclareMessage.Declare.class).size() == 2);
    var greeted = balancer.received(SessionMessage.Hello.class).size();
    await().during(ofMillis(800)).atMost(ofSeconds(3)).until(() -> balancer.sessions() == 2);
    assertThat(balancer.received(SessionMessage.Hello.class)).hasSize(greeted);
  }

  @Test
  void a_silent_node_is_given_up_after_three_seconds() {
    var node = node("n1");
    var bundle = bundle(node.url());
    node.isSilent = true;
    await().atMost(ofSeconds(5)).until(() -> !bundle.isConnected());
    node.isSilent = false;
    await().atMost(ofSeconds(5)).until(bundle::isConnected);
  }

  @Test
  void a_draining_node_gets_nothing_new_and_is_left() {
    var one = node("n1");
    one.script = EventoBundleTest::acknowledge;
    var bundle = bundle(one.url());
    one.tell(new Drain());
    await().atMost(ofSeconds(2)).until(() -> !bundle.isConnected());
    one.id = "n2";
    await().atMost(ofSeconds(5)).until(bundle::isConnected);
    bundle.commands().send(new Make("t"));
    await("the drained session is closed").atMost(ofSeconds(5)).until(() -> one.sessions() == 1);
  }

  @Test
  void a_bundle_that_leaves_says_so_and_lets_its_handlers_end() throws Exception {
    var node = node("n1");
    var bundle = bundle(node.url());
    var id = UUID.randomUUID();
    node.tell(new Command(id, "Slow", null, 5_000, null, null, new Json("{\"millis\":600}")));
    assertThat(notes.started.await(5, TimeUnit.SECONDS)).isTrue();
    bundle.close();
    assertThat(node.received(Drain.class)).hasSize(1);
    assertThat(node.received(Fault.class)).hasSize(1);
    await().atMost(ofSeconds(2)).until(() -> node.sessions() == 0);
    assertThat(failureOf(bundle.commands().sendAsync(new Make("t"))).code())
        .isEqualTo(ErrorCode.UNAVAILABLE);
  }

  @Test
  void a_refused_declaration_fails_the_start() {
    var node = node("n1");
    node.declarationAnswer = fault(UUID.randomUUID(), ErrorCode.DECLARATION_CONFLICT, 0);
    assertThatThrownBy(() -> bundle(node.url()))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> assertThat(told.code()).isEqualTo(ErrorCode.DECLARATION_CONFLICT));
  }

  @Test
  void a_bundle_without_a_good_name_or_address_does_not_start() {
    assertThatThrownBy(() -> EventoBundle.named("no spaces").connect("ws://a/evento").start())
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining("the name \"no spaces\" of the bundle must start");
    assertThatThrownBy(() -> EventoBundle.named("a").start())
        .hasMessageContaining("the bundle has no server");
    assertThatThrownBy(() -> EventoBundle.named("a").connect("http://a:80/evento").start())
        .hasMessageContaining("must be like ws://host:8080/evento");
    assertThatThrownBy(() -> EventoBundle.named("a").from(Map.of()))
        .hasMessageContaining("set EVENTO_SERVERS");
  }
}
