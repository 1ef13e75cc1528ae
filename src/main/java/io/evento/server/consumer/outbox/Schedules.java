package io.evento.server.consumer.outbox;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Scheduled;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.routing.command.Router;
import jakarta.inject.Inject;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;

/** Commands for later: kept in the database, and sent when its clock says so. */
@NodeScoped
public class Schedules {
  private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");

  private final ScheduleTable table;
  private final OutboxSenders outboxSenders;
  private final Router router;
  private final ExecutorService workers;

  @Inject
  Schedules(ScheduleTable table, OutboxSenders outboxSenders, Router router, Threads threads) {
    this.table = table;
    this.outboxSenders = outboxSenders;
    this.router = router;
    this.workers = threads.pool("schedule", 4, 10_000);
  }

  /**
   * Keeps a command until its time; it is then sent under its id until it has an outcome. A repeat
   * under the same id changes nothing.
   *
   * @return fails with {@code invalid-request} or {@code unknown-type} as sending it at once would,
   *     with {@code id-reused} if another command waits under that id
   */
  public CompletionStage<Scheduled> add(CommandMessage.Schedule order) {
    var at = instant(order.at());
    var command =
        new CommandMessage.Command(
            order.id(),
            order.type(),
            null,
            OutboxSender.DEADLINE_MILLIS,
            order.trace(),
            order.correlation(),
            order.cause(),
            order.meta(),
            order.payload());
    var outboxEntry =
        new OutboxEntry(
            order.id(),
            order.type(),
            order.payload(),
            order.correlation(),
            order.cause(),
            order.trace(),
            order.meta(),
            0);
    return router
        .check(command)
        .thenApplyAsync(
            hash -> table.add(new ScheduleTable.Order(outboxEntry, hash, order.after(), at)),
            workers)
        .whenComplete((scheduled, failure) -> outboxSenders.scheduled());
  }

  private static @Nullable Instant instant(@Nullable String text) {
    if (text == null) {
      return null;
    }
    try {
      var at = Instant.parse(text);
      if (at.isAfter(Instant.EPOCH) && at.isBefore(LATEST)) {
        return at;
      }
    } catch (DateTimeException malformed) {
      // Said below.
    }
    throw EventoException.invalid(
        "/at", "must be a time such as 2026-01-31T10:15:30Z, from 1970 to 9999");
  }

  /**
   * Takes a command back that was not sent yet.
   *
   * @return fails with {@code conflict} while it is being sent, and after that as long as its
   *     outcome may come; with {@code not-found} if none waits under that id: it never did, was
   *     taken back, or has its outcome
   */
  public CompletionStage<Void> cancel(UUID id) {
    return Threads.run(
        () -> {
          if (table.cancel(id)) {
            return;
          }
          throw table.find(id).isPresent()
              ? new EventoException(
                  ErrorCode.CONFLICT,
                  "the command is being sent or was sent, and its outcome may come yet: it cannot be"
                      + " taken back now; ask for it by its id")
              : none(id);
        },
        workers);
  }

  /** What waits under an id; fails with {@code not-found}. */
  public CompletionStage<Scheduled> find(UUID id) {
    return Threads.supply(() -> table.find(id).orElseThrow(() -> none(id)), workers);
  }

  private static EventoException none(UUID id) {
    return new EventoException(ErrorCode.NOT_FOUND, "no command is scheduled under " + id);
  }

  /**
   * What waits, the first due first.
   *
   * @param type only commands of this one, or null
   * @param after the page before ended here; null for the first page. Fails with {@code not-found}
   *     if that one is gone meanwhile
   */
  public CompletionStage<Scheduled.Page> list(
      @Nullable String type, @Nullable UUID after, int limit) {
    return Threads.supply(
        () -> {
          var from = after == null ? null : table.find(after).orElseThrow(() -> none(after));
          var found = table.list(type, from, limit);
          var last = found.size() < limit ? null : found.get(found.size() - 1).commandId();
          return new Scheduled.Page(found, last);
        },
        workers);
  }
}
