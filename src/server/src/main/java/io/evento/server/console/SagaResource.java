package io.evento.server.console;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
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
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.time.OffsetDateTime;
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
      Json state) {
    /** How a query makes it of a row {@code s}. */
    static final String OF_ROW =
        "new "
            + SagaView.class.getName()
            + "(s.key, s.born, s.position, s.correlation, s.startedAt, s.changedAt, s.endedAt,"
            + " s.state)";

    /** Public, or the query does not find it. */
    public SagaView(
        String key,
        long bornAt,
        long position,
        String correlationId,
        OffsetDateTime startedAt,
        OffsetDateTime changedAt,
        @Nullable OffsetDateTime endedAt,
        String state) {
      this(
          key,
          bornAt,
          position,
          correlationId,
          AdminCalls.time(startedAt),
          AdminCalls.time(changedAt),
          endedAt == null ? null : AdminCalls.time(endedAt),
          new Json(state));
    }
  }

  /**
   * @param next key to go on after; absent at the end
   */
  record SagasView(List<SagaView> sagas, @Nullable String next) {}

  record DeadlineView(String name, String dueAt) {
    /** How a query makes it of a row {@code m}. */
    static final String OF_ROW = "new " + DeadlineView.class.getName() + "(m.label, m.dueAt)";

    /** Public, or the query does not find it. */
    public DeadlineView(@Nullable String label, OffsetDateTime dueAt) {
      this(String.valueOf(label), AdminCalls.time(dueAt));
    }
  }

  record SagaInFullView(
      SagaView saga, List<DeadlineView> deadlines, List<OutboxResource.CommandView> commands) {}

  /**
   * @param after a key; sagas after it in order are told
   * @param state {@code living} or {@code ended}; all if absent
   */
  @GET
  @Needs(Access.OPERATE)
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
    return adminCalls.view(
        () -> managers.read(manager -> page(manager, name, version, after, state, count)));
  }

  static SagasView page(
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
                "select "
                    + SagaView.OF_ROW
                    + " from SagaStateRow s where s.name = :name and s.version = :version"
                    + " and s.key > :after"
                    + which
                    + " order by s.key",
                SagaView.class)
            .setParameter("name", name)
            .setParameter("version", version)
            .setParameter("after", after == null ? "" : after)
            .setMaxResults(count)
            .getResultList();
    return new SagasView(found, found.size() < count ? null : found.get(found.size() - 1).key());
  }

  /** One saga with its deadlines and the commands that have no outcome, or one not yet heard. */
  @GET
  @Needs(Access.OPERATE)
  @Path("{key:.+}")
  public CompletionStage<byte[]> one(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @PathParam("key") String key) {
    return adminCalls.view(() -> managers.read(manager -> inFull(manager, name, version, key)));
  }

  static SagaInFullView inFull(EntityManager manager, String name, int version, String key) {
    var saga =
        manager
            .createQuery(
                "select "
                    + SagaView.OF_ROW
                    + " from SagaStateRow s"
                    + " where s.name = :name and s.version = :version and s.key = :key",
                SagaView.class)
            .setParameter("name", name)
            .setParameter("version", version)
            .setParameter("key", key)
            .getResultStream()
            .findFirst()
            .orElseThrow(
                () ->
                    new EventoException(
                        ErrorCode.NOT_FOUND,
                        "no saga " + name + ":" + version + " is known under " + key));
    return new SagaInFullView(
        saga,
        manager
            .createQuery(
                "select "
                    + DeadlineView.OF_ROW
                    + " from ScheduledMessageRow m where m.kind = 'deadline' and m.name = :name"
                    + " and m.version = :version and m.key = :key order by m.dueAt",
                DeadlineView.class)
            .setParameter("name", name)
            .setParameter("version", version)
            .setParameter("key", key)
            .getResultList(),
        manager
            .createQuery(
                "select "
                    + OutboxResource.CommandView.OF_SENT
                    + " from ConsumerCommandRow c where c.name = :name and c.version = :version"
                    + " and c.key = :key order by c.createdAt, c.id",
                OutboxResource.CommandView.class)
            .setParameter("name", name)
            .setParameter("version", version)
            .setParameter("key", key)
            .setMaxResults(1_000)
            .getResultList());
  }
}
