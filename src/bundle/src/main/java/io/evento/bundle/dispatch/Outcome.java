package io.evento.bundle.dispatch;

import io.evento.bundle.api.Decision;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.payload.UnwritablePayloadException;
import io.evento.bundle.personal.WithheldFailure;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Rejection;
import io.evento.protocol.Unicode;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * What a command handler came to, whichever way it said so.
 *
 * @param events in order, perhaps none
 * @param value for the caller, or null
 * @param rejection the handler's refusal, or null
 */
record Outcome(List<?> events, @Nullable Object value, @Nullable Rejection rejection) {
  static final int EVENTS_MAX = 1_000;

  /** Of an aggregate's handler: events, or a decision about them. */
  static Outcome ofAggregate(@Nullable Object returned, PayloadMapper mapper) {
    if (returned == null) {
      return new Outcome(List.of(), null, null);
    }
    if (returned instanceof Decision<?> decision) {
      return of(decision, mapper);
    }
    if (returned instanceof List<?> events) {
      return new Outcome(List.copyOf(events), null, null);
    }
    return new Outcome(List.of(returned), null, null);
  }

  /** Of a service's handler: the value for the caller, or a decision that holds it. */
  static Outcome ofService(@Nullable Object returned, PayloadMapper mapper) {
    if (returned instanceof Decision<?> decision) {
      var outcome = of(decision, mapper);
      if (!outcome.events.isEmpty()) {
        throw new IllegalStateException("a service stores no events; return Decision.reply(value)");
      }
      return outcome;
    }
    return new Outcome(List.of(), returned, null);
  }

  private static Outcome of(Decision<?> decision, PayloadMapper mapper) {
    if (decision instanceof Decision.Rejected<?> refused) {
      var details =
          refused.details().isEmpty()
              ? null
              : mapper.write(refused.details(), "the rejection " + refused.code());
      return new Outcome(
          List.of(), null, new Rejection(refused.code(), refused.message(), details));
    }
    var accepted = (Decision.Accepted<?>) decision;
    return new Outcome(accepted.events(), accepted.value(), null);
  }

  /** The refusal that a handler threw instead of returning it, else null. */
  static @Nullable Rejection thrownRejection(Throwable thrown) {
    // With a command id it is the fate of another command, not this handler's own word.
    return thrown instanceof EventoException told && told.commandId() == null
        ? sayable(told.rejection())
        : null;
  }

  /** Null for a refusal that could not be told as it is: then it is a failure like any other. */
  private static @Nullable Rejection sayable(@Nullable Rejection own) {
    return own != null
            && Unicode.isWellFormed(own.code())
            && Unicode.isWellFormed(own.message())
            && (own.details() == null || Unicode.isWellFormed(own.details().text()))
        ? own
        : null;
  }

  /** The failure of a handler, which is named. */
  static Failure failure(Throwable thrown, String handler) {
    var failure = failure(thrown);
    return new Failure(failure.code(), failure.detail() + " (in " + handler + ")", List.of());
  }

  static Failure failure(Throwable thrown) {
    var message = thrown.getMessage();
    if (thrown instanceof WithheldFailure) {
      return new Failure(ErrorCode.HANDLER_FAILED, thrown.toString(), List.of());
    }
    if (message != null && thrown instanceof UnwritablePayloadException) {
      return new Failure(ErrorCode.HANDLER_FAILED, message, List.of());
    }
    var type = thrown.getClass().getSimpleName();
    return new Failure(
        ErrorCode.HANDLER_FAILED, message == null ? type : type + ": " + message, List.of());
  }

  /** What was thrown, without the wrappers of stages. */
  static Throwable unwrap(Throwable thrown) {
    var bare = thrown;
    while ((bare instanceof CompletionException || bare instanceof ExecutionException)
        && bare.getCause() != null) {
      bare = bare.getCause();
    }
    return bare;
  }
}
