package io.evento.server.aggregate;

import io.evento.protocol.EventoException;
import io.evento.protocol.Receipt;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.command.OwnedCommands;
import io.evento.server.telemetry.Kind;
import io.evento.server.telemetry.Metrics;
import io.evento.server.telemetry.Phase;
import io.evento.server.telemetry.Telemetry;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** The queues of the streams that this node was asked to own, one command decided at a time. */
@NodeScoped
public class Owner implements OwnedCommands {
  /** Queues that nobody used for so long are forgotten; sooner if there are too many. */
  private static final int IDLE_SECONDS = 600;

  private static final int QUEUES_MAX = 200_000;

  /** How often it is looked whether a host does not answer. */
  private static final int LOOK_MILLIS = 100;

  private static final Logger LOG = System.getLogger(Owner.class.getName());

  private final DecisionContext decisionContext;
  private final BoundaryContext boundaries;
  private final Telemetry telemetry;
  private final Map<String, StreamQueue> queues = new ConcurrentHashMap<>();
  private final Map<UUID, PendingCommand> inFlight = new ConcurrentHashMap<>();

  @Inject
  public Owner(
      DecisionContext decisionContext,
      BoundaryContext boundaries,
      Follower follower,
      Threads threads,
      Metrics metrics) {
    this.decisionContext = decisionContext;
    this.boundaries = boundaries;
    this.telemetry = metrics.telemetry();
    metrics.gauge("evento_stream_queues", "streams whose state this node knows", queues::size);
    // What was known of streams may be of a life that is gone.
    follower.onNewEpoch(epoch -> queues.values().forEach(StreamQueue::forgetTip));
    threads.timer().scheduleWithFixedDelay(this::forgetIdle, 30, 30, TimeUnit.SECONDS);
    threads
        .timer()
        .scheduleWithFixedDelay(
            this::lookForSilence, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
  }

  @Override
  public CompletionStage<Receipt> handle(CommandRequest request) {
    var pendingCommand = new PendingCommand(request);
    var first = inFlight.putIfAbsent(request.id(), pendingCommand);
    if (first != null && first.request().hash() == request.hash()) {
      return first.outcome().copy();
    }
    if (first == null) {
      pendingCommand
          .outcome()
          .whenComplete((receipt, failure) -> inFlight.remove(request.id(), pendingCommand));
    }
    enter(pendingCommand);
    return pendingCommand.outcome().copy();
  }

  private void enter(PendingCommand pendingCommand) {
    var stream = pendingCommand.request().ownerKey();
    while (true) {
      var streamQueue = queues.computeIfAbsent(stream, first -> queue(this::decide));
      switch (streamQueue.enter(pendingCommand)) {
        case TAKEN -> {
          streamQueue.startNext();
          return;
        }
        case FULL -> {
          pendingCommand
              .outcome()
              .completeExceptionally(
                  EventoException.overloaded(
                      "too many commands wait for this aggregate", streamQueue.untilRoom()));
          return;
        }
        case CLOSED -> queues.remove(stream, streamQueue);
      }
    }
  }

  /**
   * A queue whose commands are told their outcome once it is known.
   *
   * @param decide takes a command to its outcome
   */
  static StreamQueue queue(
      BiFunction<StreamQueue, PendingCommand, CompletionStage<Receipt>> decide) {
    return new StreamQueue((streamQueue, next) -> start(streamQueue, next, decide));
  }

  private static void start(
      StreamQueue streamQueue,
      PendingCommand pendingCommand,
      BiFunction<StreamQueue, PendingCommand, CompletionStage<Receipt>> decide) {
    var before = pendingCommand.asking();
    if (before != null) {
      before.restart();
      return;
    }
    decide
        .apply(streamQueue, pendingCommand)
        .whenComplete(
            (receipt, failure) -> {
              streamQueue.ended(pendingCommand);
              // The next one starts first: its handler works while the answer is written.
              streamQueue.startNext();
              end(pendingCommand, receipt, failure);
            });
  }

  private static void end(
      PendingCommand pendingCommand, @Nullable Receipt receipt, @Nullable Throwable failure) {
    if (failure == null) {
      pendingCommand.outcome().complete(receipt);
    } else {
      pendingCommand.outcome().completeExceptionally(failure);
    }
  }

  private CompletionStage<Receipt> decide(StreamQueue streamQueue, PendingCommand pendingCommand) {
    var request = pendingCommand.request();
    telemetry.took(
        Kind.COMMAND, request.type(), Phase.QUEUE, System.nanoTime() - pendingCommand.since());
    var boundary = request.boundary();
    return boundary == null
        ? decisionContext.decide(
            streamQueue, pendingCommand, Objects.requireNonNull(request.aggregate()))
        : boundaries.decide(pendingCommand, boundary);
  }

  private void lookForSilence() {
    try {
      var now = System.nanoTime();
      inFlight.values().forEach(pendingCommand -> pendingCommand.look(now));
    } catch (RuntimeException failure) {
      LOG.log(Level.ERROR, "decisions not looked after", failure);
    }
  }

  private void forgetIdle() {
    var seconds = queues.size() > QUEUES_MAX ? 5 : IDLE_SECONDS;
    queues.values().removeIf(streamQueue -> streamQueue.closeIfIdle(seconds));
  }
}
