package io.evento.server.consumer.operation;

import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.SteppingBundle;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the saga {@code greeting} decides, and what that comes to. */
final class Greeting {
  private Greeting() {}

  /**
   * One command about each event, one about its outcome, and one when a deadline of the event's own
   * passes: what is demanded rests on no order.
   */
  static StepMessage.Result demand(StepMessage.Input input, @Nullable Json state) {
    var event = input.event();
    var outcome = input.outcome();
    var due = input.due();
    if (event != null) {
      var label = "remind-" + event.position();
      return new StepMessage.Result(
          new Json("{}"),
          false,
          List.of(about("Greet", event)),
          List.of(new StepMessage.Deadline(label, 200L, null)));
    }
    if (outcome != null) {
      return outcome.type().equals("Greet")
          ? SteppingBundle.to("{}", SteppingBundle.command("Thank", outcome.payload().text()))
          : StepMessage.Result.NOTHING;
    }
    var position = due == null ? "" : due.name().substring("remind-".length());
    return SteppingBundle.to(
        "{}", SteppingBundle.command("Remind", "{\"event\":" + position + "}"));
  }

  static StepMessage.Send about(String type, RecordedEvent event) {
    return SteppingBundle.command(type, "{\"event\":" + event.position() + "}");
  }

  /** All commands that it sends about what the store holds. */
  static List<String> demanded(ConsumerCluster cluster) {
    var found = new ArrayList<String>();
    for (var position = 1L; position <= cluster.head(); position++) {
      for (var type : List.of("Greet", "Thank", "Remind")) {
        found.add(type + "{\"event\":" + position + "}");
      }
    }
    return found;
  }
}
