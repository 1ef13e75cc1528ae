package io.evento.server.consumer.outbox;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Scheduled;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.config.ServerConfig;
import io.evento.server.routing.command.Router;
import io.evento.server.security.Actor;
import io.evento.server.security.Caller;
import io.evento.server.security.Right;
import jakarta.inject.Inject;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;

/** Commands for later: kept in the database, and sent when its clock says so. */
@NodeScoped
public class Schedules {
  private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");

  private final ScheduleTable table;
  private final DueSenders dueSenders;
  private final Router router;
  private final ExecutorService workers;
  private final String node;

  @Inject
  Schedules(
      ScheduleTable table,
      DueSenders dueSenders,
      Router router,
      ServerConfig config,
      Threads threads) {
    this.table = table;
    this.dueSenders = dueSenders;
    this.router = router;
    this.node = config.node().name();
    this.workers = threads.pool("schedule", 4, 10_000);
  }

  /**
   * Keeps a command until its time; it is then sent under its id until it has an outcome. A repeat
   * under the same id changes nothing.
   *
   * @param caller with whose rights it is sent then, if they still suffice
   * @return fails with {@code invalid-request}, {@code forbidden} or {@code unknown-type} as
   *     sending it at once would, with {@code id-reused} if another command waits under that id
   */
  public CompletionStage<Scheduled> add(Caller caller, CommandMessage.Schedule order) {
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
            OutboxEntry.principal(caller),
            null,
            0);
    return router
        .check(caller, command)
        .thenApplyAsync(
            hash -> table.add(new ScheduleTable.Order(outboxEntry, hash, order.after(), at)),
            workers)
        .whenComplete((scheduled, failure) -> dueSenders.scheduled());
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
   *     taken back, or has its outcome; with {@code forbidden} for who may not send its type
   */
  public CompletionStage<Void> cancel(Caller caller, UUID id) {
    return find(caller, id).thenCompose(waiting -> cancel(id));
  }

  /**
   * Names whose rights a command is sent with that nobody is known to have scheduled: one of an
   * earlier release, or of a time when the cluster was open. It waits until then.
   *
   * @return fails with {@code not-found} if none without a sender waits under that id, with {@code
   *     invalid-request} if no bundle of that name has or had a token
   */
  public CompletionStage<Void> adopt(UUID id, String bundle, Caller by) {
    return Threads.run(
            () -> {
              switch (table.adopt(id, bundle, Actor.of(by, node))) {
                case "done" -> {}
                case "no-bundle" ->
                    throw EventoException.invalid("/bundle", "must be one that has a token");
                default ->
                    throw new EventoException(
                        ErrorCode.NOT_FOUND,
                        "no command without a sender is scheduled under " + id);
              }
            },
            workers)
        .whenComplete((adopted, failure) -> dueSenders.scheduled());
  }

  private CompletionStage<Void> cancel(UUID id) {
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

  /** What waits under an id; fails with {@code not-found} or {@code forbidden}. */
  public CompletionStage<Scheduled> find(Caller caller, UUID id) {
    return Threads.supply(() -> table.find(id).orElseThrow(() -> none(id)), workers)
        .thenCompose(found -> router.permitted(caller, found.type()).thenApply(permitted -> found));
  }

  private static EventoException none(UUID id) {
    return new EventoException(ErrorCode.NOT_FOUND, "no command is scheduled under " + id);
  }

  /**
   * What waits, the first due first, of the types that the caller may send. So a page may be short
   * and yet not the last.
   *
   * @param type only commands of this one, or null
   * @param after the page before ended here; null for the first page. Fails with {@code not-found}
   *     if that one is gone meanwhile
   */
  public CompletionStage<Scheduled.Page> list(
      Caller caller, @Nullable String type, @Nullable UUID after, int limit) {
    if (caller.scopes().stream().noneMatch(scope -> scope.right() == Right.SEND)) {
      throw new EventoException(
          ErrorCode.FORBIDDEN,
          caller.name() + " lacks the right " + Right.SEND.wire() + " for any type");
    }
    return page(type, after, limit).thenCompose(page -> permitted(caller, page));
  }

  private CompletionStage<Scheduled.Page> permitted(Caller caller, Scheduled.Page page) {
    var mayBeSeen = new ConcurrentHashMap<String, Boolean>();
    var asked =
        page.schedules().stream()
            .map(Scheduled::type)
            .distinct()
            .map(
                type ->
                    router
                        .permitted(caller, type)
                        .handle((may, failure) -> mayBeSeen.put(type, failure == null))
                        .toCompletableFuture())
            .toArray(CompletableFuture<?>[]::new);
    return CompletableFuture.allOf(asked)
        .thenApply(
            all ->
                new Scheduled.Page(
                    page.schedules().stream()
                        .filter(one -> mayBeSeen.getOrDefault(one.type(), false))
                        .toList(),
                    page.next()));
  }

  /** The same of all types, for who operates the cluster. */
  public CompletionStage<Scheduled.Page> page(
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
