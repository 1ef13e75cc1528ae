package io.evento.server.consumer.outbox;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.catalog.Catalog;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.Node;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.routing.command.Router;
import io.evento.server.security.AuditLog;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import jakarta.inject.Inject;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What goes out by itself: the outbox and messages for later, each by an {@link OutboxSender}, and
 * deadlines to their sagas, by {@link SagaDeadlines}.
 */
@NodeScoped
public class DueSenders {
  private final OutboxTable outbox;
  private final Threads threads;
  private final OutboxSender outboxSender;
  private final OutboxSender scheduleSender;
  private final SagaDeadlines deadlines;

  @Inject
  DueSenders(
      OutboxTable outbox,
      ScheduleTable schedules,
      Router router,
      Grants grants,
      Catalog catalog,
      AuditLog audit,
      Membership membership,
      Links links,
      Threads threads) {
    this(
        outbox,
        schedules,
        links.incarnation(),
        (entry, command) -> {
          var caller = caller(entry, grants, catalog);
          return router
              .dispatch(caller, command)
              .whenComplete((receipt, failure) -> note(audit, caller, entry, failure));
        },
        () ->
            membership.members().nodes().stream()
                .filter(Node::isLive)
                .map(Node::incarnation)
                .toList(),
        threads);
  }

  /**
   * Whose rights it is sent with. What was written by an earlier release, or while the cluster was
   * open, has no sender: of a saga or observer it is sent with the rights of the bundle that owns
   * it, which would send the same today; of nobody it is not sent until an administrator names a
   * bundle. May ask the database, for what was claimed from a table and for nothing else.
   */
  private static Caller caller(OutboxEntry entry, Grants grants, Catalog catalog) {
    if (grants.asksNobody()) {
      return Caller.developer("outbox");
    }
    var principal = entry.principal();
    var consumer = entry.consumer();
    if (principal == null && consumer == null) {
      throw new EventoException(
          ErrorCode.FORBIDDEN,
          "nobody is known who scheduled it: name a bundle, PUT /schedules/{id}/sender, or take it"
              + " back");
    }
    var who = principal != null ? principal : "bundle " + owner(consumer, catalog);
    return grants
        .named(who)
        .orElseThrow(
            () ->
                new EventoException(
                    ErrorCode.FORBIDDEN, "there is no " + who + " with a token, who sends it"));
  }

  private static void note(
      AuditLog audit, Caller caller, OutboxEntry entry, @Nullable Throwable failure) {
    var cause = failure instanceof CompletionException wrapped ? wrapped.getCause() : failure;
    if (cause instanceof EventoException told) {
      audit.failed(caller, "command " + entry.type(), told);
    }
  }

  private static String owner(@Nullable String consumer, Catalog catalog) {
    return Optional.ofNullable(consumer)
        .flatMap(catalog::ownerOfConsumer)
        .orElseThrow(
            () ->
                new EventoException(
                    ErrorCode.FORBIDDEN,
                    "no bundle owns " + consumer + ", with whose rights it would be sent"));
  }

  public DueSenders(
      OutboxTable outbox,
      ScheduleTable schedules,
      UUID incarnation,
      OutboxSender.Way router,
      Supplier<Collection<UUID>> live,
      Threads threads) {
    this.outbox = outbox;
    this.deadlines = new SagaDeadlines(outbox, schedules);
    this.threads = threads;
    this.outboxSender = new OutboxSender("outbox", outbox, incarnation, router, live);
    this.scheduleSender = new OutboxSender("schedules", schedules, incarnation, router, live);
  }

  /**
   * Begins to send.
   *
   * @param onPendingInput is told of consumer and slot when something may wait there for a saga
   * @param housekeeping now and then, on a thread that may wait
   */
  public void start(BiConsumer<ConsumerId, Integer> onPendingInput, Runnable housekeeping) {
    outbox.onSettled(onPendingInput);
    threads.start("outbox", outboxSender::run);
    threads.start("schedules", scheduleSender::run);
    threads.start("deadlines", () -> deadlines.watch(onPendingInput, housekeeping));
  }

  /** Whether commands of these types may be added to those on their way. */
  public boolean outboxHasRoom(Collection<String> types) {
    return outboxSender.hasRoom(types);
  }

  /** Sends what was just added to the outbox in this node's name. */
  public void outbox(List<OutboxEntry> claimed) {
    outboxSender.take(claimed);
  }

  /** A command may be due earlier than was known. */
  void scheduled() {
    scheduleSender.claimSoon();
  }

  /** A deadline may pass earlier than was known. */
  public void alarmSet() {
    deadlines.alarmSet();
  }
}
