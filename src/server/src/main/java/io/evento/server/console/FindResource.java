package io.evento.server.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.access.Callers;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** One question for everything that has a name or an id. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("find")
@Produces(MediaType.APPLICATION_JSON)
public class FindResource {
  private static final int CHARS_MAX = 200;

  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private Finder finder;

  /**
   * @param kind {@code payload}, {@code component}, {@code consumer}, {@code bundle}, {@code node},
   *     {@code stream}, {@code event} or {@code flow}
   * @param kind2 of a payload {@code command}, {@code query}, {@code event}; of a component its
   *     kind; of a stream its type; else absent
   * @param name a stream's id, an event's position, a flow's first command
   * @param version of a consumer
   * @param note where it belongs, in words
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Found(
      String kind,
      @Nullable String kind2,
      String name,
      @Nullable Integer version,
      @Nullable String note) {}

  record Finds(List<Found> items) {}

  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> find(@QueryParam("q") @Nullable String asked) {
    var text = asked == null ? "" : asked.strip();
    if (text.isEmpty() || text.length() > CHARS_MAX) {
      throw EventoException.invalid("q", "must have 1 to " + CHARS_MAX + " characters");
    }
    var caller = Callers.of(security);
    return adminCalls.view(() -> new Finds(finder.find(text, caller)));
  }
}
