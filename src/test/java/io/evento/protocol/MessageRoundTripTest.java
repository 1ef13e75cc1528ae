package io.evento.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.Message.Ack;
import io.evento.protocol.Message.Aggregate;
import io.evento.protocol.Message.BoundaryDecided;
import io.evento.protocol.Message.Cancel;
import io.evento.protocol.Message.Command;
import io.evento.protocol.Message.CommandType;
import io.evento.protocol.Message.Component;
import io.evento.protocol.Message.Consumption;
import io.evento.protocol.Message.Credit;
import io.evento.protocol.Message.Criterion;
import io.evento.protocol.Message.Decide;
import io.evento.protocol.Message.DecideBoundary;
import io.evento.protocol.Message.Decided;
import io.evento.protocol.Message.Declare;
import io.evento.protocol.Message.Disable;
import io.evento.protocol.Message.Drain;
import io.evento.protocol.Message.Enable;
import io.evento.protocol.Message.Ended;
import io.evento.protocol.Message.EventType;
import io.evento.protocol.Message.Events;
import io.evento.protocol.Message.Failure;
import io.evento.protocol.Message.Fault;
import io.evento.protocol.Message.Feed;
import io.evento.protocol.Message.Follow;
import io.evento.protocol.Message.Hello;
import io.evento.protocol.Message.History;
import io.evento.protocol.Message.HistoryEvent;
import io.evento.protocol.Message.Member;
import io.evento.protocol.Message.Members;
import io.evento.protocol.Message.More;
import io.evento.protocol.Message.Nack;
import io.evento.protocol.Message.NewEvent;
import io.evento.protocol.Message.Parked;
import io.evento.protocol.Message.Ping;
import io.evento.protocol.Message.Query;
import io.evento.protocol.Message.QueryType;
import io.evento.protocol.Message.Result;
import io.evento.protocol.Message.Retried;
import io.evento.protocol.Message.Retry;
import io.evento.protocol.Message.Schedule;
import io.evento.protocol.Message.Schedules;
import io.evento.protocol.Message.Snapshot;
import io.evento.protocol.Message.Stepped;
import io.evento.protocol.Message.Steps;
import io.evento.protocol.Message.Unschedule;
import io.evento.protocol.Message.Welcome;
import io.evento.testing.ApiDocument;
import java.util.Arrays;
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
  private static final Member NODE = new Member("n1", "ws://a:8081/evento", "up");

  static Stream<Message> every_kind() {
    var random = Long.MIN_VALUE + 12345;
    var tip = new Tip(7, random);
    var command = new CommandType("Open", "id", new Json("{}"));
    var component =
        new Component(
            "aggregate",
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
        new Hello("bank", ID, "1.0", "secret"),
        new Welcome("n1", "1.0", 1 << 20, List.of(NODE)),
        new Members(List.of(NODE)),
        new Ping(),
        new Drain(),
        new Declare(ID, List.of(component)),
        new Command(ID, "Open", 3L, 1500, TRACE, "flow", "cause", PAYLOAD, PAYLOAD),
        new Query(
            ID,
            "Find",
            2,
            1500,
            TRACE,
            PAYLOAD,
            new Message.After(9, ID, new Aggregate("Account", "a-1")),
            Message.Gather.VERSIONS,
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
            List.of(new Stepping.State("t-1", PAYLOAD)),
            List.of(
                Stepping.Input.of("t-1", event),
                Stepping.Input.of(
                    "t-1",
                    new Stepping.Settled(
                        ID,
                        "Open",
                        PAYLOAD,
                        event.time(),
                        null,
                        ErrorCode.REJECTED,
                        "no",
                        new Rejection("no", "because", PAYLOAD))),
                Stepping.Input.of("t-1", new Stepping.Due("hang", event.time())))),
        new Stepped(
            "transfer:1",
            3,
            17,
            5,
            List.of(
                Stepping.Result.NOTHING,
                new Stepping.Result(
                    PAYLOAD,
                    true,
                    List.of(new Stepping.Send("Open", PAYLOAD, true)),
                    List.of(
                        new Stepping.Deadline("hang", 20L, null),
                        new Stepping.Deadline("late", null, event.time())))),
            new Failure(ErrorCode.HANDLER_FAILED, "x", List.of())),
        new Ack("accounts:1", 3, 17, ID, 9),
        new Nack("accounts:1", 3, 17, 9, 2, "IllegalState: x", true),
        new Parked("accounts:1", 3, 17, List.of(9L, 11L)),
        new Retry("accounts:1", 3, 17, ID, event),
        new Retried("accounts:1", 3, 17, ID, "IllegalState: x", true),
        new Follow(ID, 9, ID, "bank", "Opened", "Account", "a-1", "tag", 256),
        new Feed(ID, ID, 9, List.of(event)),
        new More(ID, 64),
        new Message.Subscribe(new Query(ID, "Find", 1500, TRACE, PAYLOAD), 256),
        new Message.Watch("accounts:1", new Query(ID, "Find", 1500, TRACE, PAYLOAD)),
        new Message.View(ID, 2, PAYLOAD, List.of(new Message.RangeProgress(0, 31, ID, 9))),
        new Message.Update(List.of(ID), "accounts:1", 3, 17, ID, 9, 1, PAYLOAD),
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
    assertThat(every_kind().map(Object::getClass))
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(Message.class.getPermittedSubclasses())
                .<Class<?>>map(kind -> kind)
                .toList());
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
