package io.evento.server.console;

import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.access.Callers;
import io.evento.server.gateway.live.TopicFeeds;
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
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The topics of the live stream as they are now, for pages that have no stream: the stream itself
 * is answered before JAX-RS, see {@link TopicFeeds}.
 */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("live")
@Produces(MediaType.APPLICATION_JSON)
public class LiveResource {
  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private TopicFeeds feeds;

  /**
   * @param topics by name
   */
  record Topics(Map<String, Json> topics) {}

  @GET
  @Needs(Access.KNOWN)
  public CompletionStage<byte[]> now(@QueryParam("topics") @Nullable String topics) {
    var names = TopicFeeds.names(topics);
    feeds.check(Callers.of(security), names);
    return adminCalls.viewed(
        adminCalls
            .read(() -> feeds.now(names))
            .thenCompose(looked -> looked)
            .thenApply(Topics::new));
  }
}
