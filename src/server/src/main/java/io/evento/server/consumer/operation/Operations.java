package io.evento.server.consumer.operation;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.RequestCorrelation;
import io.evento.server.consumer.deadletter.DeadLetterLimit;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.delivery.LostEventTable;
import io.evento.server.consumer.lease.LeasePasses;
import io.evento.server.consumer.operation.OperationTable.Row;
import io.evento.server.consumer.segment.AuditTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Operation;
import io.evento.server.consumer.segment.Slots;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.UncheckedSqlException;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What operators do to consumers. Each operation is one transaction with its row of the audit; a
 * dry run is the same one, undone. Its methods block on the database, some for a few seconds.
 *
 * <p>Before a checkpoint or a range changes, whoever has the segment is asked to give it back, so
 * that what runs ends in peace and nobody else begins meanwhile. Who does not answer in time is
 * fenced off: his acknowledgements and letters are refused, and others wait until his lease is
 * over, as they always do.
 *
 * <p>Merging needs both halves at one position, here and in the bundle's own database. So both get
 * a place where they stop, not before the one ahead; when both rows say that they are there,
 * nothing is in flight, as nothing beyond was sent, and whichever node sees it joins them ({@link
 * Merges}). How versions take each other's place is told by {@link VersionSwitch}.
 */
@NodeScoped
public class Operations {
  private static final Logger LOG = System.getLogger(Operations.class.getName());
  private static final long HOLD_MILLIS = 10_000;
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(4);
  private static final long LOOK_MILLIS = 50;
  private static final int TRIES_MAX = 10;

  private final Database database;
  private final OrderReader reader;
  private final LeasePasses passes;

  /**
   * Who asks for what.
   *
   * @param segment one of its segments; null for all
   * @param by whom the audit names
   * @param reason in his words; null for none
   */
  public record Asked(
      String name,
      int version,
      @Nullable Integer segment,
      String by,
      @Nullable String reason,
      boolean dryRun) {
    ConsumerId consumer() {
      return new ConsumerId(name, version);
    }

    Asked asDryRun() {
      return new Asked(name, version, segment, by, reason, true);
    }
  }

  @Inject
  public Operations(Database database, OrderReader reader, LeasePasses passes) {
    this.database = database;
    this.reader = reader;
    this.passes = passes;
  }

  /** Delivers nothing any more, until it is resumed. */
  public Operation pause(Asked asked) {
    return run(
        asked,
        "pause",
        (open, rows) -> {
          var note = asked.reason() == null ? "paused by " + asked.by() : asked.reason();
          if (asked.segment() == null) {
            if (!ConsumerTable.change(
                open, asked.consumer(), List.of("active", "full"), "paused", note)) {
              throw conflict("the consumer is paused already");
            }
            return "all segments are paused";
          }
          var row = one(rows, asked.segment());
          if (row.status().equals("paused")) {
            throw conflict("the segment is paused already");
          }
          OperationTable.status(open, asked.consumer(), row.segment(), "paused", note);
          return "segment " + row.segment() + " is paused";
        });
  }

  /** Goes on where it was paused, or where its dead letters were full. */
  public Operation resume(Asked asked) {
    return run(
        asked,
        "resume",
        (open, rows) -> {
          if (asked.segment() == null) {
            if (!ConsumerTable.change(
                open, asked.consumer(), List.of("paused", "full"), "active", null)) {
              throw conflict("the consumer is not paused");
            }
            return "all segments that are not paused themselves go on";
          }
          var row = one(rows, asked.segment());
          if (!row.status().equals("paused")) {
            throw conflict("the segment is not paused");
          }
          OperationTable.status(open, asked.consumer(), row.segment(), "active", null);
          return "segment " + row.segment() + " goes on";
        });
  }

  /** Takes the lease from whoever has it; it is given out anew. */
  public Operation release(Asked asked) {
    return hold(
        asked,
        row -> isAsked(asked, row),
        "release",
        (open, rows) -> {
          checkThere(asked, rows);
          for (var row : rows) {
            if (isAsked(asked, row)) {
              OperationTable.raise(open, asked.consumer(), row.segment());
            }
          }
          return "leases of " + said(asked) + " are given out anew";
        });
  }

  /**
   * Puts checkpoints elsewhere, forwards or backwards.
   *
   * @param position everything up to there counts as done; 0 for the beginning
   * @param withEffects whether sagas and observers send again what they have sent before
   */
  public Operation reset(Asked asked, long position, boolean withEffects) {
    var head = reader.head();
    if (position < 0 || position > head.position()) {
      throw EventoException.invalid("/position", "must be 0 to " + head.position());
    }
    return hold(
        asked,
        row -> isAsked(asked, row),
        "reset",
        (open, rows) -> reset(open, rows, asked, head.at(position), withEffects));
  }

  /** As {@link #reset(Asked, long, boolean)}, to before the first event from a time on. */
  public Operation reset(Asked asked, Instant time, boolean withEffects) {
    return reset(asked, reader.lastBefore(time), withEffects);
  }

  private static String reset(
      Connection open, List<Row> rows, Asked asked, StorePosition to, boolean withEffects)
      throws SQLException {
    checkThere(asked, rows);
    var again = 0L;
    var skipped = 0L;
    var isCalledOff = false;
    for (var row : rows) {
      if (isAsked(asked, row)) {
        again = Math.max(again, row.checkpoint().position() - to.position());
        skipped = Math.max(skipped, to.position() - row.checkpoint().position());
        var parked =
            DeadLetterTable.forget(
                open, asked.consumer(), row.firstSlot(), row.lastSlot(), to.position());
        // What was parked has had no effect yet, and what was sent after it has an id that is
        // known.
        var hadEffects = withEffects ? 0 : parked > 0 ? parked - 1 : Long.MAX_VALUE;
        OperationTable.reset(open, asked.consumer(), row.segment(), to, hadEffects);
        isCalledOff |= row.mergeWith() != null;
        LostEventTable.clear(
            open, asked.consumer(), row.firstSlot(), row.lastSlot(), to.position());
      }
    }
    if (asked.segment() == null) {
      LostEventTable.clear(open, asked.consumer(), 0, Slots.COUNT - 1, to.position());
    }
    return said(asked)
        + " at position "
        + to.position()
        + ": up to "
        + again
        + " positions again, up to "
        + skipped
        + " left out"
        + (isCalledOff ? "; its merge is called off" : "");
  }

  /**
   * Says that somebody knows of the lost events whose effects are there, and has mended what they
   * did or can live with it.
   *
   * @throws EventoException {@code invalid-request} without a reason, {@code not-found} if there
   *     are none; nothing was changed
   */
  public Operation confirmLost(Asked asked) {
    if (asked.reason() == null || asked.reason().isBlank()) {
      throw EventoException.invalid("/reason", "is required");
    }
    return run(
        asked,
        "confirm-lost",
        (open, rows) -> {
          var count = 0;
          if (asked.segment() == null) {
            count = LostEventTable.clear(open, asked.consumer(), 0, Slots.COUNT - 1, null);
          } else {
            var row = one(rows, asked.segment());
            count =
                LostEventTable.clear(open, asked.consumer(), row.firstSlot(), row.lastSlot(), null);
          }
          if (count == 0) {
            throw new EventoException(
                ErrorCode.NOT_FOUND, "no lost events are marked for " + said(asked));
          }
          return "lost events are confirmed for " + said(asked) + ", " + count + " marks";
        });
  }

  /**
   * Cuts a segment in two.
   *
   * @param firstSlot of the second one; null for the middle
   */
  public Operation split(Asked asked, @Nullable Integer firstSlot) {
    return hold(
        asked,
        row -> isAsked(asked, row),
        "split",
        (open, rows) -> {
          var row = one(rows, asked.segment());
          if (row.firstSlot() == row.lastSlot()) {
            throw conflict("the segment has one slot and cannot be split");
          }
          if (row.mergeWith() != null) {
            throw conflict("the segment is being merged with segment " + row.mergeWith());
          }
          var at = firstSlot == null ? (row.firstSlot() + row.lastSlot() + 1) / 2 : firstSlot;
          if (at <= row.firstSlot() || at > row.lastSlot()) {
            throw EventoException.invalid(
                "/firstSlot", "must be " + (row.firstSlot() + 1) + " to " + row.lastSlot());
          }
          var added = free(rows);
          OperationTable.split(open, asked.consumer(), row, at, added);
          return "segment "
              + row.segment()
              + " is split, slots from "
              + at
              + " are segment "
              + added;
        });
  }

  private static int free(List<Row> rows) {
    return IntStream.range(0, Slots.COUNT)
        .filter(number -> rows.stream().noneMatch(row -> row.segment() == number))
        .findFirst()
        .orElseThrow(() -> conflict("there are as many segments as slots"));
  }

  /**
   * Makes one of two neighbours, as soon as both stand at the same position: the one ahead waits.
   *
   * @param other the neighbour
   */
  public Operation merge(Asked asked, int other) {
    return hold(
        asked,
        row -> isAsked(asked, row) || row.segment() == other,
        "merge",
        (open, rows) -> {
          var first = one(rows, asked.segment());
          var second = one(rows, other);
          if (first.lastSlot() + 1 != second.firstSlot()
              && second.lastSlot() + 1 != first.firstSlot()) {
            throw EventoException.invalid("/with", "must be a segment with the slots next to it");
          }
          if (first.mergeWith() != null || second.mergeWith() != null) {
            throw conflict("one of the segments is being merged already");
          }
          if (!first.checkpoint().epoch().equals(second.checkpoint().epoch())) {
            throw conflict("the segments stand in different epochs of the store");
          }
          // Joined earlier, one's suppression of repeated effects would fall on the other's new
          // ones.
          var at = Math.max(first.settledAt(), second.settledAt());
          OperationTable.merging(open, asked.consumer(), first.segment(), second.segment(), at);
          return "segments "
              + first.segment()
              + " and "
              + second.segment()
              + " are one as soon as both are at position "
              + at;
        });
  }

  // ---- how

  private interface Work {
    /**
     * @return what was done, in a sentence
     */
    String on(Connection open, List<Row> rows) throws SQLException;
  }

  private Operation run(Asked asked, String action, Work work) {
    var consumer = asked.consumer();
    var done =
        transact(
            action + " consumer",
            open -> {
              ConsumerTable.lock(open, consumer);
              var letters = DeadLetterLimit.count(open, consumer);
              var detail = work.on(open, OperationTable.lock(open, consumer));
              AuditTable.add(open, consumer, asked.by(), action, detail, asked.reason());
              var operation =
                  new Operation(
                      action,
                      consumer.wire(),
                      asked.dryRun(),
                      detail,
                      OperationTable.lock(open, consumer).stream().map(Row::view).toList(),
                      letters - DeadLetterLimit.count(open, consumer));
              if (asked.dryRun()) {
                open.rollback();
              }
              return operation;
            });
    if (!asked.dryRun()) {
      LOG.log(
          Level.INFO,
          () ->
              "operation "
                  + action
                  + " consumer="
                  + consumer
                  + " by="
                  + asked.by()
                  + " "
                  + done.detail()
                  + RequestCorrelation.logged());
      passes.wakeAll();
    }
    return done;
  }

  /** Runs what changes checkpoints or ranges, after owners were asked to give segments back. */
  private Operation hold(Asked asked, Predicate<Row> concerned, String action, Work work) {
    var tried = run(asked.asDryRun(), action, work);
    if (asked.dryRun()) {
      return tried;
    }
    var consumer = asked.consumer();
    hold(consumer, concerned, HOLD_MILLIS);
    try {
      awaitOwners(consumer, concerned);
      return run(asked, action, work);
    } catch (RuntimeException failure) {
      hold(consumer, concerned, 0);
      throw failure;
    }
  }

  void awaitOwners(ConsumerId consumer, Predicate<Row> concerned) {
    var until = System.nanoTime() + PATIENCE_NANOS;
    passes.wakeAll();
    try {
      while (isOwned(consumer, concerned) && System.nanoTime() - until < 0) {
        TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new EventoException(ErrorCode.UNAVAILABLE, "this node stops");
    }
  }

  void hold(ConsumerId consumer, Predicate<Row> concerned, long millis) {
    transact(
        "hold segments",
        open -> {
          ConsumerTable.lock(open, consumer);
          var held =
              OperationTable.lock(open, consumer).stream()
                  .filter(concerned)
                  .map(Row::segment)
                  .toList();
          OperationTable.hold(open, consumer, held, millis);
          return held;
        });
  }

  private boolean isOwned(ConsumerId consumer, Predicate<Row> concerned) {
    return database.read(
        "look at owners",
        open ->
            OperationTable.look(open, consumer).stream().filter(concerned).anyMatch(Row::isOwned));
  }

  /** Runs a transaction again that met an owner's and gave up. */
  <T> T transact(String what, Database.Work<T> work) {
    for (var tries = 1; ; tries++) {
      try {
        return database.audited(what, work);
      } catch (UncheckedSqlException failure) {
        var gaveUp = failure.state().equals("55P03") || failure.state().equals("40P01");
        if (!gaveUp || tries == TRIES_MAX) {
          throw failure;
        }
      }
    }
  }

  private static boolean isAsked(Asked asked, Row row) {
    return asked.segment() == null || asked.segment() == row.segment();
  }

  /** Its number may be gone with a merge that came between. */
  private static void checkThere(Asked asked, List<Row> rows) {
    if (asked.segment() != null) {
      one(rows, asked.segment());
    }
  }

  private static Row one(List<Row> rows, @Nullable Integer segment) {
    return rows.stream()
        .filter(row -> segment != null && row.segment() == segment)
        .findFirst()
        .orElseThrow(
            () -> new EventoException(ErrorCode.NOT_FOUND, "there is no segment " + segment));
  }

  private static String said(Asked asked) {
    return asked.segment() == null ? "all segments" : "segment " + asked.segment();
  }

  static EventoException conflict(String why) {
    return new EventoException(ErrorCode.CONFLICT, why);
  }
}
