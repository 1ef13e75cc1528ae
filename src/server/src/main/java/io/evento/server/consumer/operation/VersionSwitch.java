package io.evento.server.consumer.operation;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.RequestCorrelation;
import io.evento.server.consumer.lease.LeasePasses;
import io.evento.server.consumer.operation.OperationTable.Row;
import io.evento.server.consumer.operation.Operations.Asked;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.segment.AuditTable;
import io.evento.server.consumer.segment.Cause;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Operation;
import io.evento.server.consumer.segment.Role;
import io.evento.server.consumer.shadow.SwitchTable;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Puts a shadow in the place of the live version, which is a shadow from then on; so the way back
 * is the same. Its method blocks for as long as half a minute.
 *
 * <p>Why no command of a saga or observer is missing, and none takes effect twice: a step of either
 * version writes its segment's row under its fence. One transaction locks those rows of both
 * versions, so it sees all steps of before; it swaps the roles and raises every fence, so all later
 * steps are those of a claim that has seen the new role. It takes place only where the outbox of
 * the live version is drained (whatever that version decided has an outcome) and the shadow has
 * reached its checkpoint in every slot. So whatever happens to the consumer falls into one of
 * these:
 *
 * <ol>
 *   <li>Neither version has handled it: the new live one will, and sends what it decides.
 *   <li>The former one alone has: what it decided was sent. What the other one decides about it
 *       later (outcomes that it is yet to hear, deadlines that are yet to pass) it sends under the
 *       same ids, and the store keeps one outcome per id.
 *   <li>Both have: what the former one decided counts, and was sent. What the other one holds about
 *       it either has that outcome, which it hears, or was never sent, as the former one decided
 *       otherwise: it is discarded.
 *   <li>The new live one alone has: what it holds about that is released into the outbox. That is
 *       the case where the event is beyond the former one's checkpoint or among its dead letters,
 *       where the outcome waits among the former one's rows, and where the deadline, or one that
 *       has to pass before it, is still set there (see {@link Cause}).
 * </ol>
 *
 * <p>What goes before, holding segments and waiting, only makes all of that come true and spares
 * work in flight; nothing rests on it. If a node dies between, holds run out and nothing has
 * changed. A projector has no effects to be kept apart, so its versions change places while both go
 * on, once the shadow was where the live one had been.
 */
@NodeScoped
public class VersionSwitch {
  private static final Logger LOG = System.getLogger(VersionSwitch.class.getName());
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration HOLD_BEYOND = Duration.ofSeconds(15);
  private static final long LOOK_MILLIS = 100;

  /** So many commands have their outcome within a moment. */
  private static final long UNSETTLED_NEAR = 500;

  private final Database database;
  private final Operations operations;
  private final LeasePasses passes;
  private final Duration patience;

  @Inject
  public VersionSwitch(Database database, Operations operations, LeasePasses passes) {
    this(database, operations, passes, PATIENCE);
  }

  /**
   * @param patience how long the outbox may take to be drained and the shadow to get on
   */
  public VersionSwitch(
      Database database, Operations operations, LeasePasses passes, Duration patience) {
    this.database = database;
    this.operations = operations;
    this.passes = passes;
    this.patience = patience;
  }

  /** The two versions. */
  private record Pair(ConsumerId next, ConsumerId former, boolean hasEffects) {}

  /** What stands between a shadow and its switch. */
  private record Gap(long positions, long unsettled) {
    boolean isClosed() {
      return positions == 0 && unsettled == 0;
    }

    String said(Pair pair) {
      return pair.next
          + " is "
          + positions
          + " positions behind "
          + pair.former
          + (pair.hasEffects
              ? ", and " + unsettled + " commands of " + pair.former + " have no outcome yet"
              : "");
    }
  }

  /** They are not where they have to be, or not any more. */
  private static final class Apart extends EventoException {
    private static final long serialVersionUID = 1L;

    Apart(String gap) {
      super(ErrorCode.CONFLICT, gap);
    }
  }

  /**
   * Makes a shadow the live version.
   *
   * @param asked without a segment
   * @throws EventoException {@code not-found}; {@code conflict} if it is no shadow, if one of the
   *     two is paused or neither gets there in time. Nothing has changed then
   */
  public Operation to(Asked asked) {
    var tried = swap(asked.asDryRun(), null);
    if (asked.dryRun()) {
      return tried.operation();
    }
    var pair = tried.pair();
    // Before the live version stops, so that it does so for a moment only.
    var until = System.nanoTime() + patience.toNanos();
    var bar = look(pair.former());
    awaitGap(pair, new Gap(0, UNSETTLED_NEAR), bar, until);
    if (!pair.hasEffects()) {
      return done(asked, swap(asked, bar).operation());
    }
    var hold = patience.plus(HOLD_BEYOND).toMillis();
    try {
      while (true) {
        operations.hold(pair.former(), row -> true, hold);
        operations.awaitOwners(pair.former(), row -> true);
        awaitGap(pair, new Gap(0, 0), null, until);
        operations.hold(pair.next(), row -> true, HOLD_BEYOND.toMillis());
        operations.awaitOwners(pair.next(), row -> true);
        try {
          return done(asked, swap(asked, null).operation());
        } catch (Apart again) {
          // Another operation has ended the hold meanwhile, and the live version went on.
          operations.hold(pair.next(), row -> true, 0);
          passes.wakeAll();
          if (System.nanoTime() - until >= 0) {
            throw again;
          }
        }
      }
    } catch (RuntimeException failure) {
      operations.hold(pair.next(), row -> true, 0);
      operations.hold(pair.former(), row -> true, 0);
      passes.wakeAll();
      throw failure;
    }
  }

  private Operation done(Asked asked, Operation done) {
    LOG.log(
        Level.INFO,
        () ->
            "operation switch consumer="
                + done.consumer()
                + " by="
                + asked.by()
                + " "
                + done.detail()
                + RequestCorrelation.logged());
    passes.wakeAll();
    return done;
  }

  private record Swapped(Pair pair, Operation operation) {}

  /**
   * @param bar where the shadow has to be; null for where the live version is
   */
  private Swapped swap(Asked asked, @Nullable List<Row> bar) {
    return operations.transact(
        "switch consumer",
        open -> {
          var pair = pair(open, asked.consumer());
          // In the order of their versions, whichever of them is live.
          var isFirst = pair.next().compareTo(pair.former()) < 0;
          var one = OperationTable.lock(open, isFirst ? pair.next() : pair.former());
          var other = OperationTable.lock(open, isFirst ? pair.former() : pair.next());
          var next = isFirst ? one : other;
          var former = isFirst ? other : one;
          var gap = gap(open, pair, next, bar == null ? former : bar);
          if (!asked.dryRun() && !gap.isClosed()) {
            throw new Apart(gap.said(pair));
          }
          var detail =
              pair.next() + " is live instead of " + pair.former() + take(open, pair, next, former);
          if (asked.dryRun() && !gap.isClosed()) {
            detail = gap.said(pair) + "; as of now, " + detail;
          }
          AuditTable.add(open, pair.next(), asked.by(), "switch", detail, asked.reason());
          AuditTable.add(open, pair.former(), asked.by(), "switch", detail, asked.reason());
          var operation =
              new Operation(
                  "switch",
                  pair.next().wire(),
                  asked.dryRun(),
                  detail,
                  OperationTable.look(open, pair.next()).stream().map(Row::view).toList(),
                  0);
          if (asked.dryRun()) {
            open.rollback();
          }
          return new Swapped(pair, operation);
        });
  }

  private static Pair pair(Connection open, ConsumerId asked) throws SQLException {
    var versions = ConsumerTable.lockVersions(open, asked.name());
    var next =
        versions.stream()
            .filter(version -> version.id().equals(asked))
            .findFirst()
            .orElseThrow(
                () -> new EventoException(ErrorCode.NOT_FOUND, "there is no consumer " + asked));
    var former =
        versions.stream()
            .filter(version -> version.role() == Role.LIVE)
            .findFirst()
            .orElseThrow(() -> Operations.conflict("no version of " + asked.name() + " is live"));
    if (former.id().equals(asked)) {
      throw Operations.conflict(asked + " is live already");
    }
    if (!next.kind().equals(former.kind())) {
      throw Operations.conflict(
          asked + " is a " + next.kind() + ", " + former.id() + " a " + former.kind());
    }
    for (var version : List.of(next, former)) {
      if (!version.status().equals("active")) {
        throw Operations.conflict(version.id() + " is " + version.status());
      }
    }
    return new Pair(asked, former.id(), !next.kind().equals("projector"));
  }

  /**
   * Swaps the roles.
   *
   * @return what became of held commands, for the end of a sentence
   */
  private static String take(Connection open, Pair pair, List<Row> next, List<Row> former)
      throws SQLException {
    var said = "";
    if (pair.hasEffects()) {
      // Looked at before anything is moved: it is the former one's rows that tell.
      var fates = SwitchTable.fates(open, pair.next(), pair.former());
      SwitchTable.follow(open, pair.former());
      SwitchTable.release(open, pair.next(), fates.released());
      SwitchTable.discard(open, pair.next(), fates.discarded());
      said =
          ": "
              + fates.released().size()
              + " held commands sent, "
              + fates.discarded().size()
              + " discarded";
      for (var row : next) {
        OperationTable.raise(open, pair.next(), row.segment());
      }
      for (var row : former) {
        OperationTable.raise(open, pair.former(), row.segment());
      }
    }
    ConsumerTable.role(open, pair.former(), Role.SHADOW);
    ConsumerTable.role(open, pair.next(), Role.LIVE);
    return said;
  }

  // ---- how far apart they are

  private List<Row> look(ConsumerId consumer) {
    return database.read("look at segments", open -> OperationTable.look(open, consumer));
  }

  /**
   * @param most what is near enough
   * @param bar where the shadow has to be; null for where the live version is
   * @param until by {@link System#nanoTime}
   */
  private void awaitGap(Pair pair, Gap most, @Nullable List<Row> bar, long until) {
    while (true) {
      var gap =
          database.read(
              "look at versions",
              open ->
                  gap(
                      open,
                      pair,
                      OperationTable.look(open, pair.next()),
                      bar == null ? OperationTable.look(open, pair.former()) : bar));
      if (gap.positions() <= most.positions() && gap.unsettled() <= most.unsettled()) {
        return;
      }
      if (System.nanoTime() - until >= 0) {
        throw Operations.conflict(gap.said(pair));
      }
      try {
        TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
        throw new EventoException(ErrorCode.UNAVAILABLE, "this node stops");
      }
    }
  }

  private static Gap gap(Connection open, Pair pair, List<Row> next, List<Row> bar)
      throws SQLException {
    var behind = 0L;
    for (var row : next) {
      for (var ahead : bar) {
        if (ahead.firstSlot() <= row.lastSlot() && row.firstSlot() <= ahead.lastSlot()) {
          if (!row.checkpoint().epoch().equals(ahead.checkpoint().epoch())) {
            throw Operations.conflict("the versions stand in different epochs of the store");
          }
          behind = Math.max(behind, ahead.checkpoint().position() - row.checkpoint().position());
        }
      }
    }
    return new Gap(behind, pair.hasEffects() ? OutboxTable.unsettled(open, pair.former()) : 0);
  }
}
