package io.evento.server.console;

import io.evento.server.NodeScoped;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The dead letters of all consumers by what caused them: one cause is one row, however many. */
@NodeScoped
@Path("dead-letters")
@Produces(MediaType.APPLICATION_JSON)
public class DeadLetterCauseResource {
  @Inject private AdminCalls adminCalls;
  @Inject private EntityManagers managers;

  /**
   * @param group of causes
   * @param failed letters that failed for it, without what waits behind them
   * @param asked of these, those that somebody asked to be tried again
   * @param keys whose order they hold up
   * @param firstAt when the first of them was parked
   * @param lastAt when one of them failed last
   * @param cause what one of them failed with, in words
   * @param type of one of them
   */
  record CauseView(
      String name,
      int version,
      String group,
      long failed,
      long asked,
      long keys,
      String firstAt,
      String lastAt,
      @Nullable String cause,
      String type) {
    /** Of a row. Public, or the query does not find it. */
    public CauseView(
        String name,
        int version,
        String group,
        long failed,
        long asked,
        long keys,
        OffsetDateTime firstAt,
        OffsetDateTime lastAt,
        @Nullable String cause,
        String type) {
      this(
          name,
          version,
          group,
          failed,
          asked,
          keys,
          AdminCalls.time(firstAt),
          AdminCalls.time(lastAt),
          cause,
          type);
    }
  }

  /**
   * @param letters that are behind others of their key
   */
  record WaitingView(String name, int version, long letters) {
    /** Public, or the query does not find it. */
    public WaitingView {}
  }

  record CausesView(List<CauseView> causes, List<WaitingView> waiting) {}

  /** The most frequent first. */
  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> all() {
    return adminCalls.view(() -> managers.read(DeadLetterCauseResource::causes));
  }

  /**
   * Of a key one letter at most has failed and was not dropped: what comes after it waits behind
   * it. So as many keys are held up as letters failed. To count them apart sorts all letters, 165
   * of 210 ms with 50,000; like this it is one pass, 50 ms.
   */
  static CausesView causes(EntityManager manager) {
    var causes =
        manager
            .createQuery(
                "select new "
                    + CauseView.class.getName()
                    + "(d.name, d.version, d.causeGroup, count(d.id), count(d.retryAt), count(d.id),"
                    + " min(d.parkedAt), max(d.failedAt),"
                    + " max(d.cause), max(d.type))"
                    + " from DeadLetterRow d where d.causeGroup is not null and d.droppedAt is null"
                    + " group by d.name, d.version, d.causeGroup"
                    + " order by count(d.id) desc, d.name, d.version, d.causeGroup",
                CauseView.class)
            .getResultList();
    var waiting =
        manager
            .createQuery(
                "select new "
                    + WaitingView.class.getName()
                    + "(d.name, d.version, count(d.id)) from DeadLetterRow d"
                    + " where d.causeGroup is null and d.droppedAt is null"
                    + " group by d.name, d.version order by d.name, d.version",
                WaitingView.class)
            .getResultList();
    return new CausesView(causes, waiting);
  }
}
