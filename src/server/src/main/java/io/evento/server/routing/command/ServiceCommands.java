package io.evento.server.routing.command;

import io.evento.protocol.Codec;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Printable;
import io.evento.protocol.Receipt;
import io.evento.protocol.ReplyMessage;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.catalog.Catalog;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.Node;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.eventstore.append.Appender;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.Failures;
import io.evento.server.routing.NotSentException;
import io.evento.server.telemetry.Kind;
import io.evento.server.telemetry.Metrics;
import io.evento.server.telemetry.Phase;
import io.evento.server.telemetry.Telemetry;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Runs service commands: once at a time, and once in effect unless a process dies in the middle.
 *
 * <p>A run is claimed in the database before the service hears of it, and the claim is given back
 * only after the outcome is durable. So whoever gets a claim afterwards finds the outcome: it looks
 * for it after it has the claim, never before. A copy of the command waits while the claim is held
 * by a live process; after a dead one it runs again, under the same id, which the service sees.
 *
 * <p>Where it must not be run again, a claim found after another run ends it as one of which nobody
 * knows how it ended ({@link AbandonedRuns}). So that such a claim is never found after a run whose
 * end is known, it is gone before anybody is told of that end; and it stays after a run whose end
 * is not, whatever else fails.
 */
@NodeScoped
public class ServiceCommands {
  private static final Logger LOG = System.getLogger(ServiceCommands.class.getName());

  /**
   * A service that runs cannot be stopped. For so long after its caller's deadline its outcome is
   * still waited for and kept, and nobody else may run the command.
   */
  private static final int OVERTIME_MILLIS = 60_000;

  /** A claim outlives the wait for the service by this, for the outcome to be stored. */
  private static final int CLAIM_MARGIN_MILLIS = 5_000;

  private final Catalog catalog;
  private final CommandHandlers commandHandlers;
  private final Appender appender;
  private final CommandOutcomes commandOutcomes;
  private final ClaimTable claims;
  private final AbandonedRuns lost;
  private final Membership membership;
  private final Links links;
  private final Threads threads;
  private final Telemetry telemetry;
  private final ExecutorService workers;
  private final Map<UUID, Run> running = new ConcurrentHashMap<>();

  /** A command that is run here. */
  private static final class Run {
    private final CommandRequest request;
    private final boolean retry;
    private final CompletableFuture<Receipt> outcome = new CompletableFuture<>();

    /** Whether the service may have begun and it is not known durably how that ended. */
    private volatile boolean openEnded;

    Run(CommandRequest request, boolean retry) {
      this.request = request;
      this.retry = retry;
    }
  }

  @Inject
  public ServiceCommands(
      Catalog catalog,
      CommandHandlers commandHandlers,
      Appender appender,
      CommandOutcomes commandOutcomes,
      ClaimTable claims,
      AbandonedRuns lost,
      Membership membership,
      Links links,
      Threads threads,
      Metrics metrics) {
    this.catalog = catalog;
    this.commandHandlers = commandHandlers;
    this.appender = appender;
    this.commandOutcomes = commandOutcomes;
    this.claims = claims;
    this.lost = lost;
    this.membership = membership;
    this.links = links;
    this.threads = threads;
    this.telemetry = metrics.telemetry();
    workers = threads.pool("claims", 4, 10_000);
    threads.timer().scheduleWithFixedDelay(this::forgetExpired, 1, 1, TimeUnit.MINUTES);
  }

  /** Takes a service command to its outcome; a repeat joins the run on this node. */
  CompletionStage<Receipt> handle(CommandRequest request) {
    var declared = catalog.command(request.type());
    var mine = new Run(request, declared == null || declared.retry());
    var first = running.putIfAbsent(request.id(), mine);
    if (first != null) {
      return first.request.hash() == request.hash()
          ? first.outcome.copy()
          : CompletableFuture.failedStage(CommandOutcomes.idReused());
    }
    claim(mine)
        .whenComplete(
            (receipt, failure) -> {
              running.remove(request.id());
              if (failure == null) {
                mine.outcome.complete(receipt);
              } else {
                mine.outcome.completeExceptionally(Failures.cause(failure));
              }
            });
    return mine.outcome.copy();
  }

  private CompletionStage<Receipt> claim(Run run) {
    var request = run.request;
    if (request.deadline().isOver()) {
      return CompletableFuture.failedStage(request.expired());
    }
    return Threads.supply(
            () ->
                claims.claim(
                    request.id(),
                    request.hash(),
                    membership.self(),
                    links.incarnation(),
                    request.deadline().millisLeft() + OVERTIME_MILLIS + CLAIM_MARGIN_MILLIS,
                    run.retry,
                    live()),
            workers)
        .thenCompose(
            claim ->
                switch (claim) {
                  case OURS ->
                      released(run, lost.isOpen(request.id()) ? end(run) : runUnlessDone(run));
                  case LEFT -> released(run, end(run));
                  case HELD -> waitForOutcome(run);
                  case ID_REUSED -> CompletableFuture.failedStage(CommandOutcomes.idReused());
                });
  }

  private List<UUID> live() {
    return membership.members().nodes().stream()
        .filter(Node::isLive)
        .map(Node::incarnation)
        .toList();
  }

  private CompletionStage<Receipt> waitForOutcome(Run run) {
    return commandOutcomes
        .find(run.request)
        .thenCompose(
            found -> {
              if (found.isPresent()) {
                return CompletableFuture.completedStage(found.get());
              }
              var later = new CompletableFuture<Void>();
              threads
                  .timer()
                  .schedule(
                      () -> later.complete(null),
                      50 + ThreadLocalRandom.current().nextInt(50),
                      TimeUnit.MILLISECONDS);
              return later.thenCompose(now -> claim(run));
            });
  }

  private CompletionStage<Receipt> runUnlessDone(Run run) {
    return commandOutcomes
        .find(run.request)
        .thenCompose(
            found ->
                found
                    .<CompletionStage<Receipt>>map(CompletableFuture::completedStage)
                    .orElseGet(() -> run(run, Set.of())));
  }

  /** Gives the claim back at the end. */
  private CompletionStage<Receipt> released(Run run, CompletionStage<Receipt> end) {
    return end.handle(
            (receipt, failure) -> {
              if (run.openEnded) {
                lost.remember(run.request.id());
                return end;
              }
              var released = release(run.request);
              return run.retry ? end : released.thenCompose(done -> end);
            })
        .thenCompose(ended -> ended);
  }

  private CompletionStage<Receipt> end(Run run) {
    run.openEnded = true;
    var request = run.request;
    LOG.log(
        Level.WARNING,
        () ->
            "run never told how it ended and is not repeated type="
                + request.type()
                + " command="
                + request.id()
                + " correlation="
                + Printable.log(request.correlation()));
    return lost.end(run.request)
        .whenComplete((receipt, failure) -> run.openEnded = !isFinal(failure));
  }

  /** Whether what an append ended in is durable. */
  private static boolean isFinal(@Nullable Throwable failure) {
    return failure == null
        || (Failures.cause(failure) instanceof EventoException told
            && told.code() != ErrorCode.UNAVAILABLE
            && told.code() != ErrorCode.OVERLOADED
            && told.code() != ErrorCode.INTERNAL);
  }

  private CompletionStage<Receipt> run(Run run, Set<CommandHandlers.Host> failed) {
    var request = run.request;
    if (request.deadline().isOver()) {
      return CompletableFuture.failedStage(request.expired());
    }
    var host = commandHandlers.choose(request.type(), request.id().toString(), failed).orElse(null);
    if (host == null) {
      return CompletableFuture.failedStage(commandHandlers.nobody(request.type()));
    }
    run.openEnded = !run.retry;
    var asked = System.nanoTime();
    return commandHandlers
        .run(host, request.toMessage(), request.deadline().millisLeft() + OVERTIME_MILLIS)
        .thenCompose(
            answer -> {
              took(request, Phase.HANDLER, asked);
              return told(run, answer);
            })
        .exceptionallyCompose(failure -> untold(run, host, failed, failure));
  }

  private CompletionStage<Receipt> told(Run run, Message answer) {
    if (answer instanceof ReplyMessage.Fault fault
        && (fault.code() != ErrorCode.REJECTED || fault.rejection() == null)) {
      run.openEnded = false;
      return CompletableFuture.failedStage(fault.toException(run.request.id()));
    }
    return store(run.request, answer)
        .whenComplete(
            (receipt, failure) -> {
              if (isFinal(failure)) {
                run.openEnded = false;
              }
            });
  }

  private CompletionStage<Receipt> untold(
      Run run, CommandHandlers.Host host, Set<CommandHandlers.Host> failed, Throwable failure) {
    var cause = Failures.cause(failure);
    if (cause instanceof NotSentException || (run.retry && Failures.isLost(cause))) {
      run.openEnded = false;
      var now = new HashSet<>(failed);
      now.add(host);
      return run(run, now);
    }
    var isLost = Failures.isLost(cause) || cause instanceof TimeoutException;
    return isLost && !run.retry ? end(run) : CompletableFuture.failedStage(failure);
  }

  private CompletionStage<Receipt> store(CommandRequest request, Message answer) {
    if (answer instanceof ReplyMessage.Result done) {
      var value = done.payload();
      return append(request, OutcomeKind.ANSWER, value == null ? null : value.text())
          .thenCompose(appendResult -> receipt(request, appendResult, value));
    }
    var rejection = Objects.requireNonNull(((ReplyMessage.Fault) answer).rejection());
    return append(request, OutcomeKind.REJECTED, Codec.text(rejection))
        .thenCompose(
            appendResult ->
                appendResult instanceof AppendResult.Kept
                    ? CompletableFuture.failedStage(
                        EventoException.rejected(rejection, request.id()))
                    : receipt(request, appendResult, null));
  }

  private void took(CommandRequest request, Phase phase, long since) {
    telemetry.took(Kind.COMMAND, request.type(), phase, System.nanoTime() - since);
  }

  private CompletionStage<AppendResult> append(
      CommandRequest request, OutcomeKind kind, @Nullable String body) {
    var began = System.nanoTime();
    var appendRequest =
        new AppendRequest(
            request.id(),
            request.hash(),
            DecisionNumbers.next(),
            kind,
            body,
            List.of(),
            List.of(),
            null);
    return keep(appendRequest, request.deadline().later(OVERTIME_MILLIS))
        .whenComplete((result, failure) -> took(request, Phase.COMMIT, began));
  }

  /** What a service did is done: while the claim is ours, its outcome is not given up. */
  private CompletionStage<AppendResult> keep(AppendRequest appendRequest, Deadline until) {
    return appender
        .append(appendRequest)
        .exceptionallyCompose(
            failure -> {
              if (until.isOver()
                  || !(Failures.cause(failure) instanceof EventoException refused)
                  || refused.code().retry() != ErrorCode.Retry.LATER
                  || refused.code() == ErrorCode.DEADLINE_EXCEEDED) {
                return CompletableFuture.failedStage(failure);
              }
              var later = new CompletableFuture<Void>();
              threads
                  .timer()
                  .schedule(
                      () -> later.complete(null),
                      100 + ThreadLocalRandom.current().nextInt(200),
                      TimeUnit.MILLISECONDS);
              return later.thenCompose(now -> keep(appendRequest, until));
            });
  }

  private CompletionStage<Receipt> receipt(
      CommandRequest request, AppendResult appendResult, @Nullable Json value) {
    if (appendResult instanceof AppendResult.Duplicate first) {
      return commandOutcomes.repeated(request, first);
    }
    if (appendResult instanceof AppendResult.IdReused) {
      return CompletableFuture.failedStage(CommandOutcomes.idReused());
    }
    return CompletableFuture.completedStage(new Receipt(request.id(), null, value, false));
  }

  private CompletionStage<Void> release(CommandRequest request) {
    return Threads.run(() -> claims.release(request.id(), links.incarnation()), workers)
        .exceptionally(
            failure -> {
              LOG.log(
                  Level.WARNING,
                  () ->
                      "claim stays until it expires command="
                          + request.id()
                          + " correlation="
                          + Printable.log(request.correlation()));
              return null;
            });
  }

  private void forgetExpired() {
    try {
      workers.execute(
          () -> {
            claims.forgetExpired();
            lost.endAll(workers);
          });
    } catch (RuntimeException failure) {
      LOG.log(Level.WARNING, "expired claims stay until the next pass", failure);
    }
  }
}
