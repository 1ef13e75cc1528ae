package io.evento.server.consumer.operation;

import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.RequestCorrelation;
import io.evento.server.consumer.deadletter.DeadLetterLimit;
import io.evento.server.consumer.delivery.LostEventTable;
import io.evento.server.consumer.operation.Operations.Asked;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.segment.AuditTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.ConsumerTable.Version;
import io.evento.server.consumer.segment.Operation;
import io.evento.server.consumer.segment.Role;
import io.evento.server.consumer.step.StepTable;
import io.evento.server.eventstore.read.OrderReader;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Forgets a version of a consumer that is no more, such as the one that a newer version took the
 * place of: nobody delivers it, so it would be behind for ever.
 *
 * <p>A live version whose sagas have not ended, or whose commands have no outcome, is kept. So is
 * one with a shadow, which can only take the place of a version that is there. What else was still
 * to happen is lost by it, and the answer says how much: events beyond its checkpoint, dead
 * letters, marks of lost events.
 *
 * <p>Whoever hosts the version after this declares it anew: each pass of a node's leases declares
 * again what is hosted there and has no segments, so a version that was retired although somebody
 * hosts it, unheard of, comes back within seconds, and begins anew.
 */
@NodeScoped
public class Retirement {
  private static final Logger LOG = System.getLogger(Retirement.class.getName());

  private final Operations operations;
  private final OrderReader reader;

  @Inject
  public Retirement(Operations operations, OrderReader reader) {
    this.operations = operations;
    this.reader = reader;
  }

  /**
   * May be asked again by whoever did not hear the answer.
   *
   * @param asked without a segment
   * @param isHosted whether a session hosts this version, on any node
   * @throws EventoException {@code not-found}; {@code conflict} while it is hosted, or while
   *     something of it is still to happen. Nothing has changed then
   */
  public Operation retire(Asked asked, BooleanSupplier isHosted) {
    var done =
        operations.transact(
            "retire consumer",
            open -> {
              var operation = retire(open, asked, isHosted);
              if (asked.dryRun()) {
                open.rollback();
              }
              return operation;
            });
    if (!asked.dryRun()) {
      LOG.log(
          Level.INFO,
          () ->
              "operation retire consumer="
                  + asked.consumer()
                  + " by="
                  + asked.by()
                  + " "
                  + done.detail()
                  + RequestCorrelation.logged());
    }
    return done;
  }

  private Operation retire(Connection open, Asked asked, BooleanSupplier isHosted)
      throws SQLException {
    var consumer = asked.consumer();
    try {
      ConsumerTable.lock(open, consumer);
    } catch (EventoException absent) {
      // Where the answer to a commit was lost, this is our second run.
      var done = AuditTable.lately(open, consumer, "retire", asked.by());
      if (done.isEmpty() || asked.dryRun()) {
        throw absent;
      }
      return new Operation("retire", consumer.wire(), false, done.get(), List.of(), 0);
    }
    var versions = ConsumerTable.lockVersions(open, asked.name());
    var rows = OperationTable.lock(open, consumer);
    if (isHosted.getAsBoolean()) {
      throw Operations.conflict(
          "a live session hosts " + consumer + ": only what nobody hosts can be retired");
    }
    var why = isNeeded(open, asked, versions);
    if (why != null) {
      throw Operations.conflict(why);
    }
    var letters = DeadLetterLimit.count(open, consumer);
    var lost =
        LostEventTable.all(open).stream()
            .filter(loss -> new ConsumerId(loss.name(), loss.version()).equals(consumer))
            .count();
    if (!ConsumerTable.retire(open, consumer)) {
      throw Operations.conflict(
          consumer + " was delivered or changed a moment ago: try again in ten seconds");
    }
    StepTable.forget(open, consumer);
    var at = rows.stream().mapToLong(row -> row.checkpoint().position()).min().orElse(0);
    var detail =
        consumer
            + " is retired at position "
            + at
            + ", "
            + Math.max(0, reader.head().position() - at)
            + " positions behind, with "
            + letters
            + " dead letters and "
            + lost
            + " marks of lost events; whoever hosts it again begins anew, and tables that it wrote"
            + " are to be emptied before";
    AuditTable.add(open, consumer, asked.by(), "retire", detail, asked.reason());
    return new Operation("retire", consumer.wire(), asked.dryRun(), detail, List.of(), letters);
  }

  /** Why a version cannot go yet; null if it can. */
  private static @Nullable String isNeeded(Connection open, Asked asked, List<Version> versions)
      throws SQLException {
    var consumer = asked.consumer();
    var isLive =
        versions.stream()
            .anyMatch(version -> version.id().equals(consumer) && version.role() == Role.LIVE);
    if (!isLive) {
      return null;
    }
    for (var other : versions) {
      if (other.role() == Role.SHADOW) {
        return other.id() + " is a shadow of " + consumer + ": switch to it, or retire it, first";
      }
    }
    var sagas = StepTable.living(open, consumer);
    var commands = OutboxTable.unsettled(open, consumer);
    return sagas + commands == 0
        ? null
        : consumer
            + " has "
            + sagas
            + " sagas that have not ended and "
            + commands
            + " commands without an outcome: host it until they have, or pause it";
  }
}
