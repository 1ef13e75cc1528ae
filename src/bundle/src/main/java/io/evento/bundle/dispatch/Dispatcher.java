package io.evento.bundle.dispatch;

import io.evento.bundle.api.CommandMetadata;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.personal.WithheldFailure;
import io.evento.bundle.thread.BoundedExecutor;
import io.evento.bundle.thread.PartitionedExecutor;
import io.evento.bundle.thread.Threads;
import io.evento.protocol.CommandMessage.Command;
import io.evento.protocol.Correlation;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.LiveMessage.View;
import io.evento.protocol.Message;
import io.evento.protocol.QueryMessage.Query;
import io.evento.protocol.ReplyMessage.Fault;
import io.evento.protocol.ReplyMessage.Result;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Takes what nodes ask for, without ever waiting, and has it answered by handlers. */
public final class Dispatcher implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Dispatcher.class.getName());
  private static final int STREAMS_HELD_MAX = 10_000;
  private static final int WAITING_MAX = 4_096;

  private final Components components;
  private final PayloadMapper mapper;
  private final @Nullable DataSource database;
  private final SnapshotProgress snapshotProgress;
  private final StateCache states = new StateCache(STREAMS_HELD_MAX);
  private final AggregateDispatcher aggregates;
  private final BoundaryDispatcher boundaries;
  private final PartitionedExecutor partitionedExecutor;
  private final BoundedExecutor commands;
  private final BoundedExecutor queries;
  private final AtomicInteger unanswered = new AtomicInteger();

  /** Questions that wait for their turn, so that they can be taken back. */
  private final Set<UUID> questions = ConcurrentHashMap.newKeySet();

  /**
   * @param database where handlers that take a connection work, or null
   * @param snapshotProgress reads what a snapshot of that database holds of the events
   * @param threads that handlers run on
   */
  public Dispatcher(
      Components components,
      @Nullable DataSource database,
      SnapshotProgress snapshotProgress,
      Threads threads) {
    var processors = Runtime.getRuntime().availableProcessors();
    this.partitionedExecutor = new PartitionedExecutor(processors, WAITING_MAX, threads);
    this.commands = new BoundedExecutor("evento-command", 64, WAITING_MAX, threads);
    this.queries = new BoundedExecutor("evento-query", 64, WAITING_MAX, threads);
    this.components = components;
    this.snapshotProgress = snapshotProgress;
    this.mapper = components.mapper();
    this.database = database;
    this.aggregates = new AggregateDispatcher(components, states);
    this.boundaries = new BoundaryDispatcher(components);
  }

  /**
   * Forgets what is held of streams, as a subject in it may be erased; what comes next is decided
   * on the history, told anew.
   */
  public void forgetStates() {
    states.clear();
  }

  /** How many requests were taken and are not answered yet. */
  public int unanswered() {
    return unanswered.get();
  }

  /** Takes a decision; the answer comes later, or never if the deadline passes before. */
  public void decide(Decide ask, Consumer<Message> answer) {
    var until = until(ask.deadline());
    // Only the last part of a history is answered, so only that one counts.
    var isPart = ask.history() != null && ask.history().more();
    var tracked = isPart ? answer : tracked(answer);
    var taken =
        partitionedExecutor.submit(
            ask.aggregate().stream(),
            () -> {
              if (!isPast(until)) {
                aggregates.decide(ask, tracked);
              } else if (!isPart) {
                unanswered.decrementAndGet();
              }
            });
    if (!taken && !isPart) {
      var full = new Failure(ErrorCode.OVERLOADED, "too many decisions wait here", List.of());
      tracked.accept(AggregateDispatcher.failed(ask, full));
    }
  }

  /** Takes a decision over several streams; answered as {@link #decide}. */
  public void decideBoundary(DecideBoundary ask, Consumer<Message> answer) {
    var until = until(ask.deadline());
    var tracked = ask.more() ? answer : tracked(answer);
    var taken =
        partitionedExecutor.submit(
            ask.boundary() + ':' + ask.key(),
            () -> {
              if (!isPast(until)) {
                boundaries.decideBoundary(ask, tracked);
              } else if (!ask.more()) {
                unanswered.decrementAndGet();
              }
            });
    if (!taken && !ask.more()) {
      var full = new Failure(ErrorCode.OVERLOADED, "too many decisions wait here", List.of());
      tracked.accept(BoundaryDispatcher.failed(ask, full));
    }
  }

  /** Takes a command of a service. */
  public void run(Command command, Consumer<Message> answer) {
    var tracked = tracked(answer);
    var target = components.service(command.type());
    if (target == null) {
      tracked.accept(noHandler(command.id(), command.type()));
      return;
    }
    submit(
        commands,
        command.deadline(),
        command.id(),
        Correlation.of(command),
        tracked,
        () -> {
          var payload = target.payload().readRequest(command.payload(), null);
          var metadata =
              new CommandMetadata(command.id(), mapper.readMap(command.meta()), command.trace());
          var handler = target.handler();
          answer(
              handler.call(target.service(), payload, metadata, null),
              value -> serviceResult(command.id(), value),
              thrown -> fault(command.id(), Correlation.of(command), handler, thrown),
              tracked);
        },
        target.handler());
  }

  /** Takes a question. */
  public void answer(Query query, Consumer<Message> answer) {
    var tracked = tracked(answer);
    var target = components.query(query.type());
    if (target == null) {
      tracked.accept(noHandler(query.id(), query.type()));
      return;
    }
    questions.add(query.id());
    submit(
        queries,
        query.deadline(),
        query.id(),
        Correlation.of(query),
        tracked,
        () -> {
          if (!questions.remove(query.id())) {
            unanswered.decrementAndGet();
            return;
          }
          Object payload;
          try {
            payload = target.payload().readRequest(query.payload(), query.payloadVersion());
          } catch (EventoException unfit) {
            tracked.accept(Fault.of(query.id(), unfit));
            return;
          }
          var handler = target.handler();
          if (query.progress() != null) {
            answerSnapshot(query, query.progress(), target, payload, tracked);
            return;
          }
          answer(
              ask(target, payload),
              value -> new Result(query.id(), null, mapper.write(value)),
              thrown -> fault(query.id(), Correlation.of(query), handler, thrown),
              tracked);
        },
        target.handler());
  }

  /** Nobody waits for the answer to this question any more. */
  public void cancel(UUID question) {
    questions.remove(question);
  }

  /** Answers from one snapshot, and says up to where each range of slots is in it. */
  private void answerSnapshot(
      Query query, String consumer, QueryAnswerer target, Object payload, Consumer<Message> answer)
      throws Throwable {
    var handler = target.handler();
    if (!handler.takesConnection() || database == null) {
      answer(
          handler.call(target.projection(), payload, null, null),
          value -> new View(query.id(), 0, mapper.write(value), List.of()),
          thrown -> fault(query.id(), Correlation.of(query), handler, thrown),
          answer);
      return;
    }
    try (Connection connection = database.getConnection()) {
      var isolation = connection.getTransactionIsolation();
      connection.setAutoCommit(false);
      connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      View view;
      try {
        // The first statement takes the snapshot, which is the handler's as well.
        var progress = snapshotProgress.progress(connection, consumer);
        var value = handler.call(target.projection(), payload, null, connection);
        view = new View(query.id(), 0, mapper.write(value), progress);
        connection.commit();
      } catch (Throwable failure) {
        connection.rollback();
        throw failure;
      } finally {
        connection.setTransactionIsolation(isolation);
        connection.setAutoCommit(true);
      }
      answer.accept(view);
    }
  }

  private @Nullable Object ask(QueryAnswerer target, Object query) throws Throwable {
    var handler = target.handler();
    if (!handler.takesConnection() || database == null) {
      return handler.call(target.projection(), query, null, null);
    }
    try (Connection connection = database.getConnection()) {
      return handler.call(target.projection(), query, null, connection);
    }
  }

  private interface Task {
    void run() throws Throwable;
  }

  private void submit(
      BoundedExecutor boundedExecutor,
      int deadline,
      UUID id,
      String correlation,
      Consumer<Message> tracked,
      Task task,
      Handler handler) {
    var until = until(deadline);
    var taken =
        boundedExecutor.submit(
            () -> {
              if (isPast(until)) {
                questions.remove(id);
                // Nobody else may run a command while its node believes that it runs here.
                tracked.accept(
                    fault(id, ErrorCode.DEADLINE_EXCEEDED, "waited too long, was not run"));
                return;
              }
              try {
                task.run();
              } catch (EventoException refused) {
                tracked.accept(
                    refused.code() == ErrorCode.INVALID_REQUEST && refused.commandId() == null
                        ? Fault.of(id, refused)
                        : fault(id, correlation, handler, refused));
              } catch (Throwable thrown) {
                tracked.accept(fault(id, correlation, handler, thrown));
              }
            });
    if (!taken) {
      questions.remove(id);
      tracked.accept(fault(id, ErrorCode.OVERLOADED, "too many requests wait here"));
    }
  }

  private interface Converter {
    Message convert(@Nullable Object value);
  }

  private interface Failing {
    Message convert(Throwable thrown);
  }

  private static void answer(
      @Nullable Object returned, Converter done, Failing failed, Consumer<Message> answer) {
    if (returned instanceof CompletionStage<?> stage) {
      stage.whenComplete(
          (value, thrown) ->
              answer.accept(
                  thrown == null ? attempt(value, done, failed) : failed.convert(thrown)));
    } else {
      answer.accept(attempt(returned, done, failed));
    }
  }

  private static Message attempt(@Nullable Object value, Converter done, Failing failed) {
    try {
      return done.convert(value);
    } catch (RuntimeException unfit) {
      return failed.convert(unfit);
    }
  }

  private Message serviceResult(UUID id, @Nullable Object returned) {
    var outcome = Outcome.ofService(returned, mapper);
    if (outcome.rejection() != null) {
      return Fault.of(id, EventoException.rejected(outcome.rejection(), id));
    }
    var value = outcome.value();
    return new Result(id, null, value == null ? null : mapper.writeResult(value, null));
  }

  private Fault fault(UUID id, String correlation, Handler handler, Throwable thrown) {
    var cause = Outcome.unwrap(thrown);
    var rejection = Outcome.thrownRejection(cause);
    if (rejection != null) {
      return Fault.of(id, EventoException.rejected(rejection, id));
    }
    var told = WithheldFailure.tellable(cause, isPersonal(handler));
    LOG.log(
        Level.ERROR,
        () ->
            "handler failed handler="
                + handler.name()
                + " id="
                + id
                + " correlation="
                + correlation,
        told);
    return fault(id, ErrorCode.HANDLER_FAILED, Outcome.failure(told, handler.name()).detail());
  }

  /** Whether something personal is in what it takes; of a family of types perhaps. */
  private boolean isPersonal(Handler handler) {
    return mapper.hasPersonalTypes()
        && (!handler.payload().isRecord()
            || !mapper.typeOf(handler.payload()).personal().isEmpty());
  }

  private static Fault noHandler(UUID id, String type) {
    return fault(id, ErrorCode.NO_HANDLER, "nothing handles " + type + " here");
  }

  private static Fault fault(UUID id, ErrorCode code, String detail) {
    return new Fault(id, code, detail, List.of(), null, null, 0);
  }

  private Consumer<Message> tracked(Consumer<Message> answer) {
    unanswered.incrementAndGet();
    return message -> {
      unanswered.decrementAndGet();
      answer.accept(message);
    };
  }

  private static long until(int deadlineMillis) {
    return System.nanoTime() + deadlineMillis * 1_000_000L;
  }

  private static boolean isPast(long nanoTime) {
    return System.nanoTime() - nanoTime > 0;
  }

  @Override
  public void close() {
    partitionedExecutor.close();
    commands.close();
    queries.close();
  }
}
