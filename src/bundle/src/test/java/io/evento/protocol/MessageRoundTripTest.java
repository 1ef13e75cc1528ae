package io.evento.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.CommandMessage.Command;
import io.evento.protocol.CommandMessage.Schedule;
import io.evento.protocol.CommandMessage.Schedules;
import io.evento.protocol.CommandMessage.Unschedule;
import io.evento.protocol.ConsumerMessage.Ack;
import io.evento.protocol.ConsumerMessage.Credit;
import io.evento.protocol.ConsumerMessage.Disable;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.ConsumerMessage.Events;
import io.evento.protocol.ConsumerMessage.Nack;
import io.evento.protocol.ConsumerMessage.Parked;
import io.evento.protocol.ConsumerMessage.Retried;
import io.evento.protocol.ConsumerMessage.Retry;
import io.evento.protocol.DecideMessage.Aggregate;
import io.evento.protocol.DecideMessage.BoundaryDecided;
import io.evento.protocol.DecideMessage.Criterion;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.DecideMessage.History;
import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.DecideMessage.Snapshot;
import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.DeclareMessage.Declare;
import io.evento.protocol.DeclareMessage.EventType;
import io.evento.protocol.DeclareMessage.QueryType;
import io.evento.protocol.LiveMessage.Ended;
import io.evento.protocol.LiveMessage.Feed;
import io.evento.protocol.LiveMessage.Follow;
import io.evento.protocol.LiveMessage.More;
import io.evento.protocol.QueryMessage.Query;
import io.evento.protocol.ReplyMessage.Cancel;
import io.evento.protocol.ReplyMessage.Fault;
import io.evento.protocol.ReplyMessage.Result;
import io.evento.protocol.SessionMessage.Drain;
import io.evento.protocol.SessionMessage.Hello;
import io.evento.protocol.SessionMessage.Member;
import io.evento.protocol.SessionMessage.Members;
import io.evento.protocol.SessionMessage.Ping;
import io.evento.protocol.SessionMessage.Welcome;
import io.evento.protocol.StepMessage.Stepped;
import io.evento.protocol.StepMessage.Steps;
import io.evento.testing.ApiDocument;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MessageRoundTripTest {
  private static final ApiDocument DOCUMENT = ApiDocument.asyncApi();
  private static final UUID ID = UUID.fromString("0190a0b0-0000-7000-8000-000000000001");
  private static final Json PAYLOAD = new Json("{\"text\":\"ä \\u2028 \\\"\",\"n\":[1,2.50,null]}");
  private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  private static final Member NODE = new Member("n1", "ws://a:8081/evento", "up", new UUID(1, 2));

  static Stream<Message> every_kind() {
    var random = Long.MIN_VALUE + 12345;
    var tip = new Tip(7, random);
    var command = new CommandType("Open", "id", new Json("{}"));
    var component =
        new Component(
            ComponentKind.AGGREGATE,
            "Account",
            1,
            "bank",
            List.of(command),
            List.of(new EventType("Opened", null), new EventType("Moved", 3, null)),
            List.of(new QueryType("Find", 2, null, new Json("{}"))),
            new Consumption(List.of("bank"), List.of("Opened"), "end", 4, Map.of("Opened", "/id")),
            "accounts",
            "abc",
            200);
    var criterion = new Criterion(List.of("Chosen"), List.of("nickname:bob"));
    var event =
        new RecordedEvent(
            9,
            new RecordedEvent.Stream("Account", "a-1"),
            2,
            "Opened",
            "bank",
            "2026-01-31T10:15:30.123456Z",
            ID,
            "flow",
            null,
            Json.EMPTY_OBJECT,
            PAYLOAD);
    return Stream.of(
        new Hello("bank", ID, "1.0"),
        new Welcome("n1", "1.0", 1 << 20, List.of(NODE)),
        new Members(List.of(NODE)),
        new Ping(),
        new Drain(),
        new PersonalMessage.Keys(ID, List.of(PersonalMessage.hash("ada")), true, "OpenAccount"),
        new PersonalMessage.Erased(List.of(PersonalMessage.hash("ada"))),
        new Declare(ID, List.of(component)),
        new Command(ID, "Open", 3L, 1500, TRACE, "flow", "cause", PAYLOAD, PAYLOAD),
        new Query(
            ID,
            "Find",
            2,
            1500,
            TRACE,
            PAYLOAD,
            new QueryMessage.After(9, ID, new Aggregate("Account", "a-1")),
            QueryMessage.Gather.VERSIONS,
            "accounts:1"),
        new Decide(
            ID,
            "Open",
            random,
            new Aggregate("Account", "a-1"),
            tip,
            new History(
                5,
                new Snapshot("abc", PAYLOAD),
                List.of(new HistoryEvent("Opened", PAYLOAD)),
                true),
            true,
            1500,
            TRACE,
            PAYLOAD,
            PAYLOAD),
        new Decided(
            ID,
            random,
            tip,
            List.of(
                new NewEvent("Opened", List.of("tag"), PAYLOAD),
                new NewEvent("Opened", 2, List.of(), PAYLOAD)),
            PAYLOAD,
            new Rejection("no", "because", PAYLOAD),
            true,
            new Failure(ErrorCode.HANDLER_FAILED, "x", List.of(new Violation("/a", "b"))),
            new Snapshot("abc", PAYLOAD),
            17),
        new DecideBoundary(
            ID,
            "Choose",
            random,
            "Nicknames",
            "bob",
            List.of(criterion),
            500,
            List.of(new HistoryEvent("Chosen", 3, PAYLOAD)),
            true,
            1500,
            TRACE,
            PAYLOAD,
            PAYLOAD),
        new BoundaryDecided(
            ID,
            random,
            List.of(criterion),
            "nickname:bob",
            true,
            List.of(new NewEvent("Chosen", List.of("nickname:bob"), PAYLOAD)),
            PAYLOAD,
            new Rejection("taken", "", null),
            new Failure(ErrorCode.NO_HANDLER, "x", List.of())),
        new Result(
            ID,
            new Receipt(
                ID,
                new Receipt.Stream("Account", "a-1", 3),
                9L,
                ID,
                List.of(new Receipt.Stored(9, 3, "Opened")),
                PAYLOAD,
                true),
            PAYLOAD),
        new Fault(
            ID,
            ErrorCode.REJECTED,
            "no",
            List.of(new Violation("/a", "b")),
            new Rejection("no", "", null),
            "trace",
            250),
        new Cancel(ID),
        new Enable("accounts:1", 3, 0, 31, 17, ID, 8, 16),
        new Disable("accounts:1", 3, 17),
        new Credit("accounts:1", 3, 17, 256, ID, 8L),
        new Events("accounts:1", 3, 17, ID, 8, 9, List.of(event)),
        new Schedule(ID, "Open", 1500L, null, TRACE, "flow", "cause", PAYLOAD, PAYLOAD),
        new Unschedule(ID, ID),
        new Schedules(ID, "Open", ID, 100),
        new Steps(
            "transfer:1",
            3,
            17,
            5,
            List.of(new StepMessage.State("t-1", PAYLOAD)),
            List.of(
                StepMessage.Input.of("t-1", event),
                StepMessage.Input.of(
                    "t-1",
                    new StepMessage.Settled(
                        ID,
                        "Open",
                        PAYLOAD,
                        event.time(),
                        null,
                        ErrorCode.REJECTED,
                        "no",
                        new Rejection("no", "because", PAYLOAD))),
                StepMessage.Input.of("t-1", new StepMessage.Due("hang", event.time())))),
        new Stepped(
            "transfer:1",
            3,
            17,
            5,
            List.of(
                StepMessage.Result.NOTHING,
                new StepMessage.Result(
                    PAYLOAD,
                    true,
                    List.of(new StepMessage.Send("Open", PAYLOAD, true)),
                    List.of(
                        new StepMessage.Deadline("hang", 20L, null),
                        new StepMessage.Deadline("late", null, event.time())))),
            new Failure(ErrorCode.HANDLER_FAILED, "x", List.of())),
        new Ack("accounts:1", 3, 17, ID, 9),
        new Nack("accounts:1", 3, 17, 9, 2, "IllegalState: x", true),
        new Parked("accounts:1", 3, 17, List.of(9L, 11L)),
        new Retry("accounts:1", 3, 17, ID, event),
        new Retried("accounts:1", 3, 17, ID, "IllegalState: x", true),
        new Follow(ID, 9, ID, "bank", "Opened", "Account", "a-1", "tag", 256),
        new Feed(ID, ID, 9, List.of(event)),
        new More(ID, 64),
        new LiveMessage.Subscribe(new Query(ID, "Find", 1500, TRACE, PAYLOAD), 256),
        new LiveMessage.Watch("accounts:1", new Query(ID, "Find", 1500, TRACE, PAYLOAD)),
        new LiveMessage.View(ID, 2, PAYLOAD, List.of(new LiveMessage.RangeProgress(0, 31, ID, 9))),
        new LiveMessage.Update(List.of(ID), "accounts:1", 3, 17, ID, 9, 1, PAYLOAD),
        new Ended(ID, "epoch", "the store has a new epoch", ID, 9));
  }

  @ParameterizedTest
  @MethodSource("every_kind")
  void a_message_is_read_as_it_was_written(Message message) {
    var line = Codec.write(message);
    assertThat(line).doesNotContain("\n");
    assertThat(Codec.read(line)).isEqualTo(message);
  }

  @ParameterizedTest
  @MethodSource("every_kind")
  void a_message_is_as_the_document_of_the_socket_says(Message message) {
    assertThat(DOCUMENT.message(Codec.write(message))).isEmpty();
  }

  @Test
  void no_kind_is_forgotten_here() {
    var kinds = new ArrayList<Class<?>>();
    for (var group : Message.class.getPermittedSubclasses()) {
      assertThat(group.getPermittedSubclasses()).as("kinds of %s", group).isNotEmpty();
      kinds.addAll(List.of(group.getPermittedSubclasses()));
    }
    assertThat(every_kind().map(Object::getClass)).containsExactlyInAnyOrderElementsOf(kinds);
  }

  @Test
  void unknown_fields_are_ignored_and_absent_lists_are_empty() {
    var read = Codec.read("{\"new\":[{}],\"t\":\"declare\",\"id\":\"" + ID + "\"}");
    assertThat(read).isEqualTo(new Declare(ID, List.of()));
  }

  @Test
  void an_absent_payload_is_required_and_an_absent_value_is_absent() {
    assertThatThrownBy(
            () ->
                Codec.read("{\"t\":\"query\",\"id\":\"" + ID + "\",\"type\":\"F\",\"deadline\":1}"))
        .hasMessage("/p is required");
    assertThat(Codec.read("{\"t\":\"result\",\"id\":\"" + ID + "\"}"))
        .isEqualTo(new Result(ID, null, null));
    assertThat(Codec.read("{\"t\":\"result\",\"id\":\"" + ID + "\",\"p\":null}"))
        .isEqualTo(new Result(ID, null, Json.NULL));
  }

  @Test
  void a_component_of_an_unknown_kind_or_of_none_is_refused() {
    for (var kind : List.of("\"kind\":\"daemon\",", "\"kind\":\"SAGA\",", "")) {
      var line =
          "{\"t\":\"declare\",\"id\":\"" + ID + "\",\"components\":[{" + kind + "\"name\":\"A\"}]}";
      assertThatThrownBy(() -> Codec.read(line))
          .as(line)
          .isInstanceOfSatisfying(
              EventoException.class,
              told -> assertThat(told.violations().get(0).pointer()).isEqualTo("/components/kind"));
    }
  }

  @Test
  void an_unknown_kind_is_an_invalid_request() {
    assertThatThrownBy(() -> Codec.read("{\"t\":\"nonsense\"}"))
        .isInstanceOf(EventoException.class)
        .hasMessageContaining("/t must be one of");
  }

  @Test
  void a_rule_broken_by_a_message_keeps_its_pointer() {
    var line =
        "{\"t\":\"command\",\"id\":\"" + ID + "\",\"type\":\"Open\",\"deadline\":0,\"p\":{}}";
    assertThatThrownBy(() -> Codec.read(line))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> assertThat(told.violations().get(0).pointer()).isEqualTo("/deadline"));
  }
}
