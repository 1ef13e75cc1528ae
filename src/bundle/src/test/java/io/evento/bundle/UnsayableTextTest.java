package io.evento.bundle;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Projection;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.api.Service;
import io.evento.bundle.gateway.CommandOptions;
import io.evento.bundle.gateway.QueryOptions;
import io.evento.protocol.CommandMessage.Command;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.QueryMessage.Query;
import io.evento.protocol.Rejection;
import io.evento.protocol.ReplyMessage.Fault;
import io.evento.protocol.ReplyMessage.Result;
import io.evento.protocol.SessionMessage;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Text that UTF-8 cannot say is refused where it comes from; no session ends of it. */
@NullUnmarked
class UnsayableTextTest {
  private static final String HALF = "a\udc00b";
  private static final String RULE = "must not contain half of a surrogate pair";

  record Put(@AggregateId String thing, String kind, Map<String, String> texts) {}

  record Say(String what) {}

  record Ask(String what) {}

  record Text(String text) {}

  @Service
  static class Sayer {
    @CommandHandler
    String say(Say command) {
      return switch (command.what()) {
        case "value" -> HALF;
        case "failure" -> throw new IllegalStateException(HALF);
        case "refusal" ->
            throw EventoException.rejected(new Rejection("no", "because " + HALF, null), null);
        default -> "said";
      };
    }
  }

  @Projection(projector = "p")
  static class Texts {
    @QueryHandler
    Text find(Ask query) {
      if (query.what().equals("failure")) {
        throw new IllegalStateException(HALF);
      }
      return new Text(query.what().equals("view") ? HALF : "seen");
    }
  }

  private ScriptedNode node;
  private EventoBundle bundle;

  @BeforeEach
  void start() {
    node = new ScriptedNode("n1");
    bundle =
        EventoBundle.named("test").connect(node.url()).register(new Sayer(), new Texts()).start();
  }

  @AfterEach
  void stop() {
    bundle.close();
    node.close();
  }

  interface Sending {
    Object by(EventoBundle bundle);
  }

  private static Arguments sending(String what, String pointer, Sending sending) {
    return Arguments.of(what, pointer, sending);
  }

  static Stream<Arguments> doors() {
    var put = new Put("t", "x", null);
    var options = CommandOptions.options();
    return Stream.of(
        sending("id", "/thing", b -> b.commands().send(new Put(HALF, "x", null))),
        sending("text", "/kind", b -> b.commands().send(new Put("t", HALF, null))),
        sending("value", "/texts/k", b -> b.commands().send(new Put("t", "x", Map.of("k", HALF)))),
        sending(
            "key", "/texts/a\ufffdb", b -> b.commands().send(new Put("t", "x", Map.of(HALF, "v")))),
        sending(
            "metadata",
            "/metadata/k",
            b -> b.commands().send(put, options.withMetadata(Map.of("k", HALF)))),
        sending("flow", "/correlation", b -> b.commands().send(put, options.inFlow(HALF, "c"))),
        sending("cause", "/cause", b -> b.commands().send(put, options.inFlow("c", HALF))),
        sending("trace", "/trace", b -> b.commands().send(put, options.tracedBy(HALF))),
        sending(
            "schedule",
            "/kind",
            b -> b.commands().schedule(new Put("t", HALF, null), Duration.ofSeconds(5))),
        sending("query", "/what", b -> b.queries().ask(new Ask(HALF), Text.class)),
        sending(
            "all",
            "/what",
            b -> b.queries().askAll(new Ask(HALF), Text.class, QueryOptions.within(ofSeconds(5)))),
        sending(
            "subscription",
            "/what",
            b -> b.queries().subscribe(new Ask(HALF), Text.class, view -> {})));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void doors(String what, String pointer, Sending sending) {
    var before = node.received.size();
    assertThatThrownBy(() -> sending.by(bundle))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
              assertThat(told.violations()).hasSize(1);
              assertThat(told.violations().get(0).pointer()).isEqualTo(pointer);
              assertThat(told.violations().get(0).rule()).startsWith(RULE);
            });
    assertThat(node.received).as("nothing was sent").hasSize(before);
    assertThat(node.sessions()).isEqualTo(1);
  }

  private Message run(String what) {
    var id = UUID.randomUUID();
    node.tell(
        new Command(
            id,
            "Say",
            null,
            5_000,
            null,
            null,
            null,
            null,
            new Json("{\"what\":\"" + what + "\"}")));
    return answer(id);
  }

  private Message ask(String what) {
    var id = UUID.randomUUID();
    var payload = new Json("{\"what\":\"" + what + "\"}");
    node.tell(new Query(id, "Ask", 1, 5_000, null, payload, null, null, null));
    return answer(id);
  }

  private Message answer(UUID id) {
    return await("answer").atMost(ofSeconds(10)).until(() -> found(id), found -> found != null);
  }

  private Message found(UUID id) {
    return node.received.stream()
        .filter(
            message ->
                (message instanceof Result result && result.id().equals(id))
                    || (message instanceof Fault fault && id.equals(fault.id())))
        .findFirst()
        .orElse(null);
  }

  @ParameterizedTest
  @ValueSource(strings = {"value", "failure", "refusal"})
  void what_a_service_cannot_say_fails_its_command_alone(String what) {
    assertThat(((Fault) run(what)).code()).isEqualTo(ErrorCode.HANDLER_FAILED);
    assertThat(run("")).isInstanceOf(Result.class);
    assertThat(node.received(SessionMessage.Hello.class)).as("sessions that were begun").hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"view", "failure"})
  void what_a_view_cannot_say_fails_its_query_alone(String what) {
    assertThat(((Fault) ask(what)).code()).isEqualTo(ErrorCode.HANDLER_FAILED);
    assertThat(ask("")).isInstanceOf(Result.class);
    assertThat(node.received(SessionMessage.Hello.class)).as("sessions that were begun").hasSize(1);
  }

  @Test
  void an_escape_that_came_in_is_answered_and_the_session_goes_on() {
    // Legal JSON, as a node of an older release lets it through.
    assertThat(run("x\\ud800")).isInstanceOf(Result.class);
    assertThat(ask("x\\ud800")).isInstanceOf(Result.class);
    assertThat(node.received(SessionMessage.Hello.class)).hasSize(1);
  }
}
