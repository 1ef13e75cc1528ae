package io.evento.server.aggregate;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Receipt;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.eventstore.Follower;
import io.evento.server.routing.CommandOwner;
import io.evento.server.routing.CommandRequest;
import io.evento.server.telemetry.Metrics;
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

/** The lanes of the streams that this node was asked to own, one command in flight on each. */
@NodeScoped
public class Owner implements CommandOwner {
  /** Lanes that nobody used for so long are forgotten; sooner if there are too many. */
  private static final int IDLE_SECONDS = 600;

  private static final int LANES_MAX = 200_000;

  /** How often it is looked whether a host does not answer. */
  private static final int LOOK_MILLIS = 100;

  private static final Logger LOG = System.getLogger(Owner.class.getName());

  private final Decider decider;
  private final BoundaryDecider boundaries;
  private final Map<String, Lane> lanes = new ConcurrentHashMap<>();
  private final Map<UUID, Pending> inFlight = new ConcurrentHashMap<>();

  @Inject
  public Owner(
      Decider decider,
      BoundaryDecider boundaries,
      Follower follower,
      Threads threads,
      Metrics metrics) {
    this.decider = decider;
    this.boundaries = boundaries;
    metrics.gauge("evento_lanes", "streams whose state this node knows", lanes::size);
    // What was known of streams may be of a life that is gone.
    follower.onNewEpoch(epoch -> lanes.values().forEach(lane -> lane.tip(null)));
    threads.timer().scheduleWithFixedDelay(this::forgetIdle, 30, 30, TimeUnit.SECONDS);
    threads
        .timer()
        .scheduleWithFixedDelay(
            this::lookForSilence, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
  }

  @Override
  public CompletionStage<Receipt> handle(CommandRequest request) {
    var pending = new Pending(request);
    var first = inFlight.putIfAbsent(request.id(), pending);
    if (first != null && first.request().hash() == request.hash()) {
      return first.outcome().copy();
    }
    if (first == null) {
      pending.outcome().whenComplete((receipt, failure) -> inFlight.remove(request.id(), pending));
    }
    enter(pending);
    return pending.outcome().copy();
  }

  private void enter(Pending pending) {
    var stream = pending.request().ownerKey();
    while (true) {
      var lane = lanes.computeIfAbsent(stream, first -> new Lane());
      switch (lane.enter(pending)) {
        case START -> {
          run(lane, pending);
          return;
        }
        case WAIT -> {
          return;
        }
        case FULL -> {
          pending
              .outcome()
              .completeExceptionally(
                  new EventoException(
                      ErrorCode.OVERLOADED, "too many commands wait for this aggregate"));
          return;
        }
        case CLOSED -> lanes.remove(stream, lane);
      }
    }
  }

  private void run(Lane lane, Pending first) {
    // A loop where decisions end at once, so that a long queue of expired commands never recurses.
    for (var pending = first; pending != null; pending = lane.next()) {
      var now = pending;
      var decided = decide(lane, now).toCompletableFuture();
      if (!decided.isDone()) {
        decided.whenComplete(
            (receipt, failure) -> {
              // The next one starts first: its handler works while the answer is written.
              var next = lane.next();
              if (next != null) {
                run(lane, next);
              }
              end(now, receipt, failure);
            });
        return;
      }
      decided.whenComplete((receipt, failure) -> end(now, receipt, failure));
    }
  }

  private static void end(Pending pending, @Nullable Receipt receipt, @Nullable Throwable failure) {
    if (failure == null) {
      pending.outcome().complete(receipt);
    } else {
      pending.outcome().completeExceptionally(failure);
    }
  }

  private CompletionStage<Receipt> decide(Lane lane, Pending pending) {
    var request = pending.request();
    var boundary = request.boundary();
    return boundary == null
        ? decider.decide(lane, pending, Objects.requireNonNull(request.aggregate()))
        : boundaries.decide(pending, boundary);
  }

  private void lookForSilence() {
    try {
      var now = System.nanoTime();
      inFlight.values().forEach(pending -> pending.look(now));
    } catch (RuntimeException failure) {
      LOG.log(Level.ERROR, "decisions not looked after", failure);
    }
  }

  private void forgetIdle() {
    var seconds = lanes.size() > LANES_MAX ? 5 : IDLE_SECONDS;
    lanes.values().removeIf(lane -> lane.closeIfIdle(seconds));
  }
}
