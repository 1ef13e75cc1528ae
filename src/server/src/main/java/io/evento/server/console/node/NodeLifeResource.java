package io.evento.server.console.node;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.NodeLives;
import io.evento.server.console.AdminCalls;
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

/** When processes of nodes came and went, in the last hours. */
@NodeScoped
@Path("node-lives")
@Produces(MediaType.APPLICATION_JSON)
public class NodeLifeResource {
  private static final int HOURS_MAX = 168;
  private static final int LIVES_MAX = 500;

  @Inject private AdminCalls adminCalls;
  @Inject private NodeLives lives;

  /**
   * @param endedAt when it was seen last; absent if it is there
   * @param ending {@code left} if it said so, {@code lost} if not; absent if it is there
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record LifeView(
      String node,
      String incarnation,
      String release,
      String startedAt,
      @Nullable String endedAt,
      @Nullable String ending) {}

  record LivesView(List<LifeView> lives) {}

  /** At most 500: first who is there, then the last that began first. */
  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> all(@QueryParam("hours") @DefaultValue("24") int hours) {
    if (hours < 1 || hours > HOURS_MAX) {
      throw EventoException.invalid("hours", "must be 1 to " + HOURS_MAX);
    }
    return adminCalls.view(
        () ->
            new LivesView(
                lives.ofHours(hours, LIVES_MAX).stream()
                    .map(
                        life ->
                            new LifeView(
                                life.node(),
                                life.incarnation().toString(),
                                life.release(),
                                AdminCalls.time(life.startedAt()),
                                AdminCalls.timeOrNull(life.endedAt()),
                                life.ending()))
                    .toList()));
  }
}
