package io.evento.server.aggregate;

import io.evento.protocol.ErrorCode;
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
import org.jspecify.annotations.Nullable;

/** The queues of the streams that this node was asked to own, one command in flight on each. */
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
    follower.onNewEpoch(epoch -> queues.values().forEach(streamQueue -> streamQueue.tip(null)));
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
      var streamQueue = queues.computeIfAbsent(stream, first -> new StreamQueue());
      switch (streamQueue.enter(pendingCommand)) {
        case START -> {
          run(streamQueue, pendingCommand);
          return;
        }
        case WAIT -> {
          return;
        }
        case FULL -> {
          pendingCommand
              .outcome()
              .completeExceptionally(
                  new EventoException(
                      ErrorCode.OVERLOADED, "too many commands wait for this aggregate"));
          return;
        }
        case CLOSED -> queues.remove(stream, streamQueue);
      }
    }
  }

  private void run(StreamQueue streamQueue, PendingCommand first) {
    // A loop where decisions end at once, so that a long queue of expired commands never recurses.
    for (var pendingCommand = first; pendingCommand != null; pendingCommand = streamQueue.next()) {
      var now = pendingCommand;
      var decided = decide(streamQueue, now).toCompletableFuture();
      if (!decided.isDone()) {
        decided.whenComplete(
            (receipt, failure) -> {
              // The next one starts first: its handler works while the answer is written.
              var next = streamQueue.next();
              if (next != null) {
                run(streamQueue, next);
              }
              end(now, receipt, failure);
            });
        return;
      }
      decided.whenComplete((receipt, failure) -> end(now, receipt, failure));
    }
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
