package io.evento.server.console.telemetry;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.console.AdminCalls;
import io.evento.server.monitor.Alarm;
import io.evento.server.monitor.AlarmTable;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** What is wrong with the cluster, and what was; newest first. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("alarms")
@Produces(MediaType.APPLICATION_JSON)
public class AlarmResource {
  private static final int LIMIT_MAX = 1_000;

  @Inject private AdminCalls adminCalls;
  @Inject private AlarmTable table;

  /**
   * @param subject what it is about; empty for the cluster
   * @param until absent while it goes on
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record AlarmView(
      long id,
      String kind,
      String subject,
      String severity,
      String since,
      @Nullable String until,
      String cause,
      Json details) {
    static AlarmView of(Alarm alarm) {
      return new AlarmView(
          alarm.id(),
          alarm.kind(),
          alarm.subject(),
          alarm.severity(),
          AdminCalls.time(alarm.since()),
          alarm.until() == null ? null : AdminCalls.time(alarm.until()),
          alarm.cause(),
          alarm.details());
    }
  }

  /**
   * @param next the {@code before} of the next page; absent at the end
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record AlarmPage(List<AlarmView> alarms, @Nullable Long next) {}

  @GET
  @Needs(Access.MONITOR)
  public CompletionStage<byte[]> page(
      @QueryParam("state") @DefaultValue("active") String state,
      @QueryParam("before") @Nullable Long before,
      @QueryParam("limit") @DefaultValue("100") int limit) {
    if (limit < 1 || limit > LIMIT_MAX) {
      throw EventoException.invalid("limit", "must be 1 to " + LIMIT_MAX);
    }
    if (!state.equals("active") && !state.equals("all")) {
      throw EventoException.invalid("state", "must be active or all");
    }
    return adminCalls.view(
        () -> {
          var rows =
              table.page(state.equals("active"), before == null ? Long.MAX_VALUE : before, limit);
          return new AlarmPage(
              rows.stream().map(AlarmView::of).toList(),
              rows.size() < limit ? null : rows.get(rows.size() - 1).id());
        });
  }
}
