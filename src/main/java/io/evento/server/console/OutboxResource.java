package io.evento.server.console;

import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.outbox.ConsumerCommandRow;
import io.evento.server.consumer.shadow.ShadowCommandRow;
import io.evento.server.gateway.http.PageLimits;
import io.evento.server.persistence.EntityManagers;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The commands of sagas and observers that have no final outcome, or one not yet heard. */
@NodeScoped
@Path("outbox")
@Produces(MediaType.APPLICATION_JSON)
public class OutboxResource {
  @Inject private AdminCalls adminCalls;
  @Inject private EntityManagers managers;

  /**
   * @param consumer that sends it, such as {@code transfer:1}
   * @param key of the saga; for an observer the stream that it reacted to
   * @param status {@code sending}, {@code waiting} for its next try, or {@code settled} and not yet
   *     heard
   * @param attempts to send it; 0 for what a shadow decided
   * @param nextAt when it is tried again; absent if it is settled
   * @param error why the last attempt was not final; absent if there was none
   * @param outcome once it is settled
   */
  record CommandView(
      String commandId,
      String consumer,
      String key,
      String type,
      String status,
      int attempts,
      String createdAt,
      @Nullable String nextAt,
      @Nullable String error,
      String correlationId,
      Json payload,
      @Nullable Json outcome) {}

  record OutboxView(List<CommandView> commands) {}

  /**
   * The oldest ones.
   *
   * @param consumer only those of this name; all if absent
   */
  @GET
  public CompletionStage<byte[]> list(
      @QueryParam("consumer") @Nullable String consumer,
      @QueryParam("limit") @Nullable String limit) {
    var count = PageLimits.limit(limit);
    return adminCalls.answer(
        () ->
            managers.read(
                manager -> {
                  var query =
                      manager.createQuery(
                          "select c from ConsumerCommandRow c"
                              + (consumer == null ? "" : " where c.name = :name")
                              + " order by c.createdAt, c.id",
                          ConsumerCommandRow.class);
                  if (consumer != null) {
                    query.setParameter("name", consumer);
                  }
                  return new OutboxView(
                      query
                          .setMaxResults(count)
                          .getResultStream()
                          .map(OutboxResource::view)
                          .toList());
                }));
  }

  static CommandView view(ConsumerCommandRow row) {
    var isSettled = row.settledAt() != null;
    var outcome = row.outcome();
    return new CommandView(
        row.id().toString(),
        row.name() + ':' + row.version(),
        row.key(),
        row.type(),
        isSettled ? "settled" : row.claimedBy() == null ? "waiting" : "sending",
        row.attempts(),
        AdminCalls.time(row.createdAt()),
        isSettled ? null : AdminCalls.time(row.nextAt()),
        row.error(),
        row.correlation(),
        new Json(row.payload()),
        outcome == null ? null : new Json(outcome));
  }

  /** What a shadow decided, once the live version's command about the same had an outcome. */
  static CommandView settled(ShadowCommandRow row) {
    var outcome = row.outcome();
    return new CommandView(
        row.id().toString(),
        row.name() + ':' + row.version(),
        row.key(),
        row.type(),
        "settled",
        0,
        AdminCalls.time(row.createdAt()),
        null,
        null,
        row.correlation(),
        new Json(row.payload()),
        outcome == null ? null : new Json(outcome));
  }
}
