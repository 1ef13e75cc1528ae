package io.evento.server.console;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.outbox.ConsumerCommandRow;
import io.evento.server.consumer.outbox.ScheduledMessageRow;
import io.evento.server.consumer.step.SagaStateRow;
import io.evento.server.gateway.http.PageLimits;
import io.evento.server.persistence.EntityManagers;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Where sagas stand, and what they wait for. */
@NodeScoped
@Path("sagas/{name}/{version}")
@Produces(MediaType.APPLICATION_JSON)
public class SagaResource {
  @Inject private AdminCalls adminCalls;
  @Inject private EntityManagers managers;

  /**
   * @param bornAt position of the event that started it
   * @param position of the last event that had an effect on it
   * @param endedAt absent while it lives
   */
  record SagaView(
      String key,
      long bornAt,
      long position,
      String correlationId,
      String startedAt,
      String changedAt,
      @Nullable String endedAt,
      Json state) {}

  /**
   * @param next key to go on after; absent at the end
   */
  record SagasView(List<SagaView> sagas, @Nullable String next) {}

  record DeadlineView(String name, String dueAt) {}

  record SagaInFullView(
      SagaView saga, List<DeadlineView> deadlines, List<OutboxResource.CommandView> commands) {}

  /**
   * @param after a key; sagas after it in order are told
   * @param state {@code living} or {@code ended}; all if absent
   */
  @GET
  public CompletionStage<byte[]> list(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @QueryParam("after") @Nullable String after,
      @QueryParam("state") @Nullable String state,
      @QueryParam("limit") @Nullable String limit) {
    if (state != null && !state.equals("living") && !state.equals("ended")) {
      throw EventoException.invalid("state", "must be living or ended");
    }
    var count = PageLimits.limit(limit);
    return adminCalls.answer(
        () -> managers.read(manager -> page(manager, name, version, after, state, count)));
  }

  private static SagasView page(
      EntityManager manager,
      String name,
      int version,
      @Nullable String after,
      @Nullable String state,
      int count) {
    var which =
        state == null ? "" : " and s.endedAt is " + (state.equals("ended") ? "not null" : "null");
    var found =
        manager
            .createQuery(
                "select s from SagaStateRow s where s.name = :name and s.version = :version"
                    + " and s.key > :after"
                    + which
                    + " order by s.key",
                SagaStateRow.class)
            .setParameter("name", name)
            .setParameter("version", version)
            .setParameter("after", after == null ? "" : after)
            .setMaxResults(count)
            .getResultStream()
            .map(SagaResource::view)
            .toList();
    return new SagasView(found, found.size() < count ? null : found.get(found.size() - 1).key());
  }

  /** One saga with its deadlines and the commands that have no outcome, or one not yet heard. */
  @GET
  @Path("{key:.+}")
  public CompletionStage<byte[]> one(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @PathParam("key") String key) {
    return adminCalls.answer(() -> managers.read(manager -> inFull(manager, name, version, key)));
  }

  private static SagaInFullView inFull(
      EntityManager manager, String name, int version, String key) {
    var saga = manager.find(SagaStateRow.class, new SagaStateRow.Key(name, version, key));
    if (saga == null) {
      throw new EventoException(
          ErrorCode.NOT_FOUND, "no saga " + name + ":" + version + " is known under " + key);
    }
    return new SagaInFullView(
        view(saga),
        manager
            .createQuery(
                "select m from ScheduledMessageRow m where m.kind = 'deadline' and m.name = :name"
                    + " and m.version = :version and m.key = :key order by m.dueAt",
                ScheduledMessageRow.class)
            .setParameter("name", name)
            .setParameter("version", version)
            .setParameter("key", key)
            .getResultStream()
            .map(SagaResource::view)
            .toList(),
        manager
            .createQuery(
                "select c from ConsumerCommandRow c where c.name = :name and c.version = :version"
                    + " and c.key = :key order by c.createdAt, c.id",
                ConsumerCommandRow.class)
            .setParameter("name", name)
            .setParameter("version", version)
            .setParameter("key", key)
            .setMaxResults(1_000)
            .getResultStream()
            .map(OutboxResource::view)
            .toList());
  }

  static DeadlineView view(ScheduledMessageRow row) {
    return new DeadlineView(String.valueOf(row.label()), AdminCalls.time(row.dueAt()));
  }

  private static SagaView view(SagaStateRow row) {
    var ended = row.endedAt();
    return new SagaView(
        row.key(),
        row.born(),
        row.position(),
        row.correlation(),
        AdminCalls.time(row.startedAt()),
        AdminCalls.time(row.changedAt()),
        ended == null ? null : AdminCalls.time(ended),
        new Json(row.state()));
  }
}
