package io.evento.server.consumer.operation;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.RequestCorrelation;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.Node;
import io.evento.server.consumer.deadletter.DeadLetterLimit;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.lease.LeasePasses;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.outbox.ScheduleTable;
import io.evento.server.consumer.segment.AuditTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Operation;
import io.evento.server.persistence.Database;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What operators do with dead letters. A retry only asks: whoever has the segment tries, in order
 * of positions. Each asking has a number, so that an attempt that is under way can tell what was
 * asked before it from what was asked since. Its methods block on the database.
 */
@NodeScoped
public class DeadLetters {
  private static final Logger LOG = System.getLogger(DeadLetters.class.getName());
  private static final int REASON_CHARS_MAX = 500;
  private static final double PER_SECOND_MAX = 10_000;

  private final Database database;
  private final LeasePasses passes;
  private final LetterEdits edits;
  private final Supplier<Optional<Node>> stranger;
  private final IntSupplier most;

  /**
   * Which letters are meant; with neither id nor group all of them.
   *
   * @param group of causes
   */
  public record Chosen(@Nullable UUID id, @Nullable String group) {}

  @Inject
  public DeadLetters(
      Database database,
      LeasePasses passes,
      LetterEdits edits,
      Membership membership,
      Settings settings) {
    this(
        database,
        passes,
        edits,
        membership::ofAnotherRelease,
        () -> settings.get(Setting.DEAD_LETTERS_MAX));
  }

  /**
   * @param stranger a live node of another release, if there is any
   * @param most how many letters a consumer may have
   */
  public DeadLetters(
      Database database,
      LeasePasses passes,
      LetterEdits edits,
      Supplier<Optional<Node>> stranger,
      IntSupplier most) {
    this.database = database;
    this.passes = passes;
    this.edits = edits;
    this.stranger = stranger;
    this.most = most;
  }

  /**
   * Asks that letters be tried again. A letter takes the older ones of its key along; a group those
   * behind its own.
   *
   * @param perSecond at most so many begin; 0 for no limit
   * @throws EventoException {@code not-found}; {@code conflict} if one of them was edited while a
   *     node of another release is up
   */
  public Operation retry(Operations.Asked asked, Chosen chosen, double perSecond) {
    if (!(perSecond >= 0 && perSecond <= PER_SECOND_MAX)) {
      throw EventoException.invalid("/perSecond", "must be 0 to " + PER_SECOND_MAX);
    }
    return run(
        asked,
        "retry",
        open -> {
          var asking = ConsumerTable.countAsking(open, asked.consumer());
          var count = DeadLetterOperations.ask(open, asked.consumer(), chosen, perSecond, asking);
          if (count == 0) {
            throw absent();
          }
          if (DeadLetterOperations.hasEdited(open, asked.consumer(), asking)) {
            checkAllKnowEdits();
          }
          return new Done(count, count + " dead letters are tried again" + said(chosen));
        });
  }

  /**
   * Gives letters up for good. What waited behind them is tried.
   *
   * @throws EventoException {@code invalid-request} without a reason, {@code not-found} if there
   *     are none; nothing was changed
   */
  public Operation drop(Operations.Asked asked, Chosen chosen) {
    checkReason(asked);
    if (chosen.id() == null && chosen.group() == null) {
      throw EventoException.invalid("/group", "is required: not all are dropped at once");
    }
    return run(asked, "drop", open -> drop(open, asked.consumer(), chosen));
  }

  /**
   * Has a letter tried with another payload than its event's from now on. The event stays as it is,
   * for all other consumers and for what is read again; what is done with the letter ends the edit.
   * It is not tried by this.
   *
   * @throws EventoException {@code invalid-request} without a reason, or if the payload is not what
   *     its type declares; {@code not-found}; {@code conflict} if it is no letter of an event that
   *     is stored, if it is to be tried, or while a node of another release is up
   */
  public Operation edit(Operations.Asked asked, UUID id, Json payload) {
    checkReason(asked);
    checkAllKnowEdits();
    var about = database.read("read dead letter", open -> notAsked(open, asked.consumer(), id));
    var places = edits.check(asked.consumer(), about, payload);
    return run(
        asked,
        "edit",
        open -> {
          if (!DeadLetterOperations.edit(open, asked, id, about.command(), payload.text())) {
            notAsked(open, asked.consumer(), id);
            throw absent();
          }
          return new Done(
              1,
              "the dead letter at position "
                  + about.position()
                  + " is tried with a payload that differs at "
                  + String.join(", ", places));
        });
  }

  /**
   * The payload that a letter is tried with instead of its event's, JSON.
   *
   * @param editedAt when it was stored
   * @return empty if there is another one by now, or none
   */
  public Optional<String> edited(UUID id, OffsetDateTime editedAt) {
    return database.read("read edited payload", open -> DeadLetterTable.edited(open, id, editedAt));
  }

  /**
   * Has a letter tried with its event's own payload again.
   *
   * @throws EventoException {@code not-found} if it is not there, or nobody edited it; {@code
   *     conflict} if it is to be tried
   */
  public Operation forgetEdit(Operations.Asked asked, UUID id) {
    return run(
        asked,
        "forget-edit",
        open -> {
          if (!DeadLetterOperations.forgetEdit(open, asked.consumer(), id)) {
            notAsked(open, asked.consumer(), id);
            throw new EventoException(
                ErrorCode.NOT_FOUND, "there is no such dead letter with an edited payload");
          }
          return new Done(1, "the dead letter " + id + " is tried with its event's own payload");
        });
  }

  /** With what it is tried is settled once somebody asked for that. */
  private static DeadLetterOperations.About notAsked(Connection open, ConsumerId consumer, UUID id)
      throws SQLException {
    var about = DeadLetterOperations.about(open, consumer, id).orElseThrow(DeadLetters::absent);
    if (about.isAsked()) {
      throw new EventoException(
          ErrorCode.CONFLICT, "the dead letter is to be tried; edit it when it has failed again");
    }
    return about;
  }

  /** An older node would try the letter with what the store has. */
  private void checkAllKnowEdits() {
    stranger
        .get()
        .ifPresent(
            node -> {
              throw new EventoException(
                  ErrorCode.CONFLICT,
                  "nodes of another release are up and may not know edited payloads, "
                      + node.name()
                      + " is one of them");
            });
  }

  private static void checkReason(Operations.Asked asked) {
    var reason = asked.reason();
    if (reason == null || reason.isBlank() || reason.length() > REASON_CHARS_MAX) {
      throw EventoException.invalid(
          "/reason", "is required, with 1 to " + REASON_CHARS_MAX + " characters");
    }
  }

  private Done drop(Connection open, ConsumerId consumer, Chosen chosen) throws SQLException {
    var asking = ConsumerTable.countAsking(open, consumer);
    var dropped = DeadLetterOperations.drop(open, consumer, chosen, asking);
    if (dropped.count() == 0) {
      throw absent();
    }
    var detail =
        dropped.count()
            + " dead letters are dropped"
            + said(chosen)
            + ", positions "
            + dropped.first()
            + " to "
            + dropped.last();
    // Or they would be given to their saga after all, as soon as its key is live.
    OutboxTable.drop(open, consumer, dropped.outcomes());
    ScheduleTable.drop(open, dropped.deadlines());
    DeadLetterLimit.goOnIfThereIsRoom(open, consumer, most.getAsInt());
    return new Done(dropped.count(), detail);
  }

  private record Done(long count, String detail) {}

  private Operation run(Operations.Asked asked, String action, Database.Work<Done> work) {
    var consumer = asked.consumer();
    var operation =
        database.audited(
            action + " dead letters",
            open -> {
              ConsumerTable.lock(open, consumer);
              var done = work.on(open);
              AuditTable.add(open, consumer, asked.by(), action, done.detail(), asked.reason());
              if (asked.dryRun()) {
                open.rollback();
              }
              return new Operation(
                  action, consumer.wire(), asked.dryRun(), done.detail(), List.of(), done.count());
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
                  + operation.detail()
                  + RequestCorrelation.logged());
      passes.wakeAll();
    }
    return operation;
  }

  private static String said(Chosen chosen) {
    return chosen.id() != null
        ? ", of id " + chosen.id()
        : chosen.group() != null ? ", of cause " + chosen.group() : "";
  }

  private static EventoException absent() {
    return new EventoException(ErrorCode.NOT_FOUND, "there is no such dead letter");
  }
}
