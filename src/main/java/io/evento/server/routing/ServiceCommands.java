package io.evento.server.routing;

import io.evento.protocol.Codec;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Receipt;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.Node;
import io.evento.server.eventstore.Appender;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.Proposal;
import io.evento.server.eventstore.Verdict;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Runs service commands: once at a time, and once in effect unless a process dies in the middle.
 *
 * <p>A run is claimed in the database before the service hears of it, and the claim is given back
 * only after the outcome is durable. So whoever gets a claim afterwards finds the outcome: it looks
 * for it after it has the claim, never before. A copy of the command waits while the claim is held
 * by a live process; after a dead one it runs again, under the same id, which the service sees.
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

  private final Handlers handlers;
  private final Appender appender;
  private final Outcomes outcomes;
  private final ClaimTable claims;
  private final Membership membership;
  private final Links links;
  private final Threads threads;
  private final ExecutorService workers;
  private final Map<UUID, Run> running = new ConcurrentHashMap<>();

  private record Run(long hash, CompletableFuture<Receipt> outcome) {}

  @Inject
  public ServiceCommands(
      Handlers handlers,
      Appender appender,
      Outcomes outcomes,
      ClaimTable claims,
      Membership membership,
      Links links,
      Threads threads) {
    this.handlers = handlers;
    this.appender = appender;
    this.outcomes = outcomes;
    this.claims = claims;
    this.membership = membership;
    this.links = links;
    this.threads = threads;
    workers = threads.pool("claims", 4, 10_000);
    threads.timer().scheduleWithFixedDelay(this::forgetExpired, 1, 1, TimeUnit.MINUTES);
  }

  /** Takes a service command to its outcome; a repeat joins the run on this node. */
  CompletionStage<Receipt> handle(CommandRequest request) {
    var mine = new Run(request.hash(), new CompletableFuture<>());
    var first = running.putIfAbsent(request.id(), mine);
    if (first != null) {
      return first.hash() == request.hash()
          ? first.outcome().copy()
          : CompletableFuture.failedStage(Outcomes.idReused());
    }
    claim(request)
        .whenComplete(
            (receipt, failure) -> {
              running.remove(request.id());
              if (failure == null) {
                mine.outcome().complete(receipt);
              } else {
                mine.outcome().completeExceptionally(Failures.cause(failure));
              }
            });
    return mine.outcome().copy();
  }

  private CompletionStage<Receipt> claim(CommandRequest request) {
    if (request.deadline().isOver()) {
      return CompletableFuture.failedStage(request.expired());
    }
    return CompletableFuture.supplyAsync(
            () ->
                claims.claim(
                    request.id(),
                    request.hash(),
                    membership.self(),
                    links.incarnation(),
                    request.deadline().millisLeft() + OVERTIME_MILLIS + CLAIM_MARGIN_MILLIS,
                    live()),
            workers)
        .thenCompose(
            claim ->
                switch (claim) {
                  case OURS -> runUnlessDone(request);
                  case HELD -> waitForOutcome(request);
                  case ID_REUSED -> CompletableFuture.failedStage(Outcomes.idReused());
                });
  }

  private List<UUID> live() {
    return membership.members().nodes().stream()
        .filter(Node::isLive)
        .map(Node::incarnation)
        .toList();
  }

  private CompletionStage<Receipt> waitForOutcome(CommandRequest request) {
    return outcomes
        .find(request)
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
              return later.thenCompose(now -> claim(request));
            });
  }

  private CompletionStage<Receipt> runUnlessDone(CommandRequest request) {
    return outcomes
        .find(request)
        .thenCompose(
            found ->
                found
                    .<CompletionStage<Receipt>>map(CompletableFuture::completedStage)
                    .orElseGet(() -> run(request, Set.of())))
        .whenComplete((receipt, failure) -> release(request.id()));
  }

  private CompletionStage<Receipt> run(CommandRequest request, Set<Handlers.Host> failed) {
    if (request.deadline().isOver()) {
      return CompletableFuture.failedStage(request.expired());
    }
    var host = handlers.choose(request.type(), request.id().toString(), failed).orElse(null);
    if (host == null) {
      return CompletableFuture.failedStage(
          new EventoException(
              ErrorCode.NO_HANDLER, "no live session hosts the command " + request.type()));
    }
    return handlers
        .run(host, request.toMessage(), request.deadline().millisLeft() + OVERTIME_MILLIS)
        .thenCompose(answer -> store(request, answer))
        .exceptionallyCompose(
            failure -> {
              if (!Failures.isLost(failure)) {
                return CompletableFuture.failedStage(failure);
              }
              var now = new HashSet<>(failed);
              now.add(host);
              return run(request, now);
            });
  }

  private CompletionStage<Receipt> store(CommandRequest request, Message answer) {
    if (answer instanceof Message.Result done) {
      var value = done.payload();
      return append(request, OutcomeKind.ANSWER, value == null ? null : value.text())
          .thenCompose(verdict -> receipt(request, verdict, value));
    }
    var fault = (Message.Fault) answer;
    var rejection = fault.rejection();
    if (fault.code() != ErrorCode.REJECTED || rejection == null) {
      return CompletableFuture.failedStage(fault.toException(request.id()));
    }
    return append(request, OutcomeKind.REJECTED, Codec.text(rejection))
        .thenCompose(
            verdict ->
                verdict instanceof Verdict.Kept
                    ? CompletableFuture.failedStage(
                        EventoException.rejected(rejection, request.id()))
                    : receipt(request, verdict, null));
  }

  private CompletionStage<Verdict> append(
      CommandRequest request, OutcomeKind kind, @Nullable String body) {
    return appender.append(
        new Proposal(
            request.id(),
            request.hash(),
            Decisions.next(),
            kind,
            body,
            List.of(),
            List.of(),
            null));
  }

  private CompletionStage<Receipt> receipt(
      CommandRequest request, Verdict verdict, @Nullable Json value) {
    if (verdict instanceof Verdict.Duplicate first) {
      return outcomes.repeated(request, first);
    }
    if (verdict instanceof Verdict.IdReused) {
      return CompletableFuture.failedStage(Outcomes.idReused());
    }
    return CompletableFuture.completedStage(
        new Receipt(request.id(), null, null, List.of(), value, false));
  }

  private void release(UUID command) {
    try {
      workers.execute(() -> claims.release(command, links.incarnation()));
    } catch (RejectedExecutionException busy) {
      LOG.log(Level.WARNING, () -> "claim stays until it expires command=" + command);
    }
  }

  private void forgetExpired() {
    try {
      workers.execute(claims::forgetExpired);
    } catch (RuntimeException failure) {
      LOG.log(Level.WARNING, "expired claims stay until the next pass", failure);
    }
  }
}
