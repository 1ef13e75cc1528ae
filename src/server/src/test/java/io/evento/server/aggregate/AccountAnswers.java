package io.evento.server.aggregate;

import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.DeclareMessage;
import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.Json;
import io.evento.protocol.Rejection;
import io.evento.protocol.Tip;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;

/** What scripted handlers of the aggregate {@code Account} declare and say. */
@NullUnmarked
final class AccountAnswers {
  static final String SCHEMA = "account-1";
  static final NewEvent DEPOSITED = event("Deposited");

  private AccountAnswers() {}

  static Component keepsSnapshots(int every) {
    return component(SCHEMA, every);
  }

  static Component component(String schema, int every) {
    return new Component(
        DeclareMessage.ComponentKind.AGGREGATE,
        "Account",
        0,
        "bank",
        List.of(new CommandType("Deposit", "account", null)),
        List.of(),
        List.of(),
        null,
        null,
        schema,
        every);
  }

  static NewEvent event(String type) {
    return new NewEvent(type, List.of(), Json.EMPTY_OBJECT);
  }

  /** On the state that the question names, or else on that of an empty stream. */
  static Decided decided(Decide ask, NewEvent... events) {
    var on = ask.tip() == null ? Tip.EMPTY : ask.tip();
    return answer(ask, on, List.of(events), null, false, null);
  }

  static Decided rejected(Decide ask) {
    var on = ask.tip() == null ? Tip.EMPTY : ask.tip();
    return answer(ask, on, List.of(), new Rejection("too-poor", "not enough", null), false, null);
  }

  static Decided stale(Decide ask) {
    return answer(ask, null, List.of(), null, true, null);
  }

  static Decided failed(Decide ask, ErrorCode code) {
    return answer(ask, null, List.of(), null, false, new Failure(code, "as scripted", List.of()));
  }

  private static Decided answer(
      Decide ask, Tip on, List<NewEvent> events, Rejection rejection, boolean stale, Failure why) {
    return new Decided(ask.id(), ask.attempt(), on, events, null, rejection, stale, why, null, 0);
  }
}
