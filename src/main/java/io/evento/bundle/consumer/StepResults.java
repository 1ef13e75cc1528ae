package io.evento.bundle.consumer;

import io.evento.bundle.payload.PayloadMapper;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Message.Failure;
import io.evento.protocol.Message.Steps;
import io.evento.protocol.Stepping;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;

/** What deciders of both kinds answer with. */
final class StepResults {
  private static final Logger LOG = System.getLogger(StepResults.class.getName());

  private StepResults() {}

  /** A command as it travels. */
  static Stepping.Send send(Object command, PayloadMapper mapper, Predicate<String> isHeard) {
    var type = mapper.typeOf(command.getClass());
    return new Stepping.Send(type.name(), type.write(command), isHeard.test(type.name()));
  }

  /** Roughly how many characters a result takes on the wire. */
  static long length(Stepping.Result result) {
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
    var isPassing =
        bare instanceof EventoException told && told.code().retry() == ErrorCode.Retry.LATER;
    LOG.log(
        isPassing ? Level.WARNING : Level.ERROR,
        () ->
            "step failed consumer="
                + asked.consumer()
                + " segment="
                + asked.segment()
                + (at < asked.happenings().size() ? said(asked.happenings().get(at)) : ""),
        bare);
    return new Failure(
        bare instanceof EventoException told && isPassing ? told.code() : ErrorCode.HANDLER_FAILED,
        String.valueOf(bare),
        List.of());
  }

  private static String said(Stepping.Happening happening) {
    var event = happening.event();
    return " key=" + happening.key() + (event == null ? "" : " position=" + event.position());
  }
}
