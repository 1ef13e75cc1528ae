package io.evento.bundle.consumer;

import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.personal.Subjects;
import io.evento.bundle.personal.WithheldFailure;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.Json;
import io.evento.protocol.StepMessage;
import io.evento.protocol.StepMessage.Steps;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;

/** What deciders of both kinds answer with. */
final class StepResults {
  private static final Logger LOG = System.getLogger(StepResults.class.getName());

  /** Characters of one result: with all that is escaped it still fits into a frame. */
  private static final long RESULT_MAX = 2 << 20;

  private StepResults() {}

  /** Has the keys fetched that the states and events are read by. */
  static void prepare(Steps asked, PayloadMapper mapper) {
    var payloads = new ArrayList<Json>();
    asked.states().forEach(known -> payloads.add(known.state()));
    for (var input : asked.inputs()) {
      var event = input.event();
      if (event != null) {
        payloads.add(event.payload());
      }
    }
    mapper.prepare(payloads);
  }

  /** A command as it travels. */
  static StepMessage.Send send(Object command, PayloadMapper mapper, Predicate<String> isHeard) {
    var type = mapper.typeOf(command.getClass());
    return new StepMessage.Send(type.name(), type.write(command), isHeard.test(type.name()));
  }

  /**
   * A result as it may travel.
   *
   * @throws IllegalStateException if it is too large, or too deep, for a message
   */
  static StepMessage.Result checked(StepMessage.Result result) {
    if (length(result) > RESULT_MAX) {
      throw new IllegalStateException(
          "a step says "
              + length(result)
              + " characters, at most "
              + RESULT_MAX
              + " fit into a message: send fewer or smaller commands");
    }
    var state = result.state();
    if (state != null) {
      checkDepth(state);
    }
    result.commands().forEach(command -> checkDepth(command.payload()));
    return result;
  }

  private static void checkDepth(Json json) {
    var text = json.text();
    var depth = 0;
    var isInString = false;
    for (var i = 0; i < text.length(); i++) {
      var c = text.charAt(i);
      if (isInString) {
        i += c == '\\' ? 1 : 0;
        isInString = c != '"';
      } else if (c == '"') {
        isInString = true;
      } else if (c == '{' || c == '[') {
        if (++depth > Json.DEPTH_MAX) {
          throw new IllegalStateException(
              "a state or command must be nested at most " + Json.DEPTH_MAX + " deep");
        }
      } else if (c == '}' || c == ']') {
        depth--;
      }
    }
  }

  /** Roughly how many characters a result takes on the wire. */
  static long length(StepMessage.Result result) {
    var state = result.state();
    var length = 100L + (state == null ? 0 : state.text().length());
    for (var command : result.commands()) {
      length += 100 + command.payload().text().length();
    }
    return length;
  }

  /** What a handler failed with; said aloud. */
  static Failure failure(Steps asked, int at, Throwable thrown) {
    var bare = thrown;
    while ((bare instanceof CompletionException || bare instanceof ExecutionException)
        && bare.getCause() != null) {
      bare = bare.getCause();
    }
    var passing = FailureClassifier.passing(bare);
    var told = WithheldFailure.tellable(bare, isPersonal(asked, at));
    LOG.log(
        passing != null ? Level.WARNING : Level.ERROR,
        () ->
            "step failed consumer="
                + asked.consumer()
                + " segment="
                + asked.segment()
                + (at < asked.inputs().size() ? said(asked.inputs().get(at)) : ""),
        told);
    return new Failure(
        passing != null ? passing : ErrorCode.HANDLER_FAILED, Cause.of(told), List.of());
  }

  /** Whether something personal is in the input that failed, or in the state that it met. */
  private static boolean isPersonal(Steps asked, int at) {
    if (at >= asked.inputs().size()) {
      return false;
    }
    var input = asked.inputs().get(at);
    var event = input.event();
    var outcome = input.outcome();
    return (event != null && Subjects.areIn(event.payload()))
        || (outcome != null && Subjects.areIn(outcome.payload()))
        || asked.states().stream()
            .anyMatch(known -> known.key().equals(input.key()) && Subjects.areIn(known.state()));
  }

  private static String said(StepMessage.Input input) {
    var event = input.event();
    return " key=" + input.key() + (event == null ? "" : " position=" + event.position());
  }
}
