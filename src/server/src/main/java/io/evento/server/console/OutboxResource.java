package io.evento.server.console;

import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.http.PageLimits;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;
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
      @Nullable Json outcome) {
    /** How a query makes it of a row {@code c} of the outbox. */
    static final String OF_SENT =
        "new "
            + CommandView.class.getName()
            + "(c.id, c.name, c.version, c.key, c.type, c.settledAt, c.claimedBy, c.attempts,"
            + " c.createdAt, c.nextAt, c.error, c.correlation, c.payload, c.outcome)";

    /** How a query makes it of a row {@code s} that a shadow holds, once that has an outcome. */
    static final String OF_HELD =
        "new "
            + CommandView.class.getName()
            + "(s.id, s.name, s.version, s.key, s.type, s.createdAt, s.correlation, s.payload,"
            + " s.outcome)";

    /** Public, or the query does not find it. */
    public CommandView(
        UUID id,
        String name,
        int version,
        String key,
        String type,
        @Nullable OffsetDateTime settledAt,
        @Nullable String claimedBy,
        int attempts,
        OffsetDateTime createdAt,
        OffsetDateTime nextAt,
        @Nullable String error,
        String correlation,
        String payload,
        @Nullable String outcome) {
      this(
          id.toString(),
          name + ':' + version,
          key,
          type,
          settledAt != null ? "settled" : claimedBy == null ? "waiting" : "sending",
          attempts,
          AdminCalls.time(createdAt),
          settledAt != null ? null : AdminCalls.time(nextAt),
          error,
          correlation,
          new Json(payload),
          outcome == null ? null : new Json(outcome));
    }

    /** Public, or the query does not find it. */
    public CommandView(
        UUID id,
        String name,
        int version,
        String key,
        String type,
        OffsetDateTime createdAt,
        String correlation,
        String payload,
        @Nullable String outcome) {
      this(
          id.toString(),
          name + ':' + version,
          key,
          type,
          "settled",
          0,
          AdminCalls.time(createdAt),
          null,
          null,
          correlation,
          new Json(payload),
          outcome == null ? null : new Json(outcome));
    }
  }

  record OutboxView(List<CommandView> commands) {}

  /**
   * The oldest ones.
   *
   * @param consumer only those of this name; all if absent
   */
  @GET
  @Needs(Access.OPERATE)
  public CompletionStage<byte[]> list(
      @QueryParam("consumer") @Nullable String consumer,
      @QueryParam("limit") @Nullable String limit) {
    var count = PageLimits.limit(limit);
    return adminCalls.view(() -> managers.read(manager -> page(manager, consumer, count)));
  }

  static OutboxView page(EntityManager manager, @Nullable String consumer, int count) {
    var query =
        manager.createQuery(
            "select "
                + CommandView.OF_SENT
                + " from ConsumerCommandRow c"
                + (consumer == null ? "" : " where c.name = :name")
                + " order by c.createdAt, c.id",
            CommandView.class);
    if (consumer != null) {
      query.setParameter("name", consumer);
    }
    return new OutboxView(query.setMaxResults(count).getResultList());
  }
}
