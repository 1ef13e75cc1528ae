package io.evento.server.routing.command;

import io.evento.protocol.Receipt;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.eventstore.append.Appender;
import io.evento.server.routing.CommandRequest;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;

/**
 * Ends service commands that must not be run again and of which nobody knows how they ended: with
 * an outcome that says so, unless they had another one.
 *
 * <p>Their claims are never just forgotten: the claim is all that tells that a run began. So it
 * stays until an outcome is durable, be it that of the run, of a repeat that finds the claim, or,
 * where nobody repeats, of the pass that looks for claims that are over. A run of this node that
 * could not be ended is remembered here, as its claim looks like one that this node just got.
 */
@NodeScoped
public class AbandonedRuns {
  private static final Logger LOG = System.getLogger(AbandonedRuns.class.getName());

  /** In one pass; what is left waits for the next. */
  private static final int PER_PASS = 200;

  private final Appender appender;
  private final CommandOutcomes commandOutcomes;
  private final ClaimTable claims;
  private final Set<UUID> open = ConcurrentHashMap.newKeySet();

  @Inject
  public AbandonedRuns(Appender appender, CommandOutcomes commandOutcomes, ClaimTable claims) {
    this.appender = appender;
    this.commandOutcomes = commandOutcomes;
    this.claims = claims;
  }

  /** Keeps in mind that a run of this node is over, and that nothing durable says how it ended. */
  void remember(UUID command) {
    open.add(command);
  }

  /** Whether a run of this node is over and nothing durable says how it ended. */
  boolean isOpen(UUID command) {
    return open.contains(command);
  }

  /**
   * @return the outcome if there was one; else fails as one that nobody can know
   */
  CompletionStage<Receipt> end(CommandRequest request) {
    return unknown(request.id(), request.hash())
        .thenCompose(
            appendResult -> {
              if (appendResult instanceof AppendResult.Duplicate first) {
                return commandOutcomes.repeated(request, first);
              }
              return CompletableFuture.failedStage(
                  appendResult instanceof AppendResult.IdReused
                      ? CommandOutcomes.idReused()
                      : CommandOutcomes.unknown());
            });
  }

  /**
   * Ends what was left alone for a while. Asks the database and waits for it.
   *
   * @param workers threads that may wait for the database too
   */
  void endAll(Executor workers) {
    if (!open.isEmpty()) {
      var known = List.copyOf(open);
      var claimed = claims.claimed(known);
      known.stream().filter(command -> !claimed.contains(command)).forEach(open::remove);
    }
    for (var left : claims.left(PER_PASS)) {
      LOG.log(
          Level.WARNING,
          () ->
              "run was left and never told how it ended, it is not repeated command="
                  + left.command());
      var unused =
          unknown(left.command(), left.hash())
              .thenAcceptAsync(appendResult -> claims.forget(left.command()), workers);
    }
  }

  private CompletionStage<AppendResult> unknown(UUID command, long hash) {
    return appender.append(
        new AppendRequest(
            command,
            hash,
            DecisionNumbers.next(),
            OutcomeKind.UNKNOWN,
            null,
            List.of(),
            List.of(),
            null));
  }
}
