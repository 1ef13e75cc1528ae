package io.evento.server.console;

import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.security.Access;
import io.evento.server.security.AuditLog;
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
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What was done about rights, who signed in, and who was refused; newest first. */
@NodeScoped
@Path("audit")
@Produces(MediaType.APPLICATION_JSON)
public class AuditResource {
  private static final int TEXT_CHARS_MAX = 300;

  @Inject private AdminCalls adminCalls;
  @Inject private AuditLog audit;

  /**
   * @param dbUser the database's role that wrote it
   * @param who as the node said
   * @param before absent where nothing was
   * @param after absent where nothing is
   * @param correlation of the request; absent for what none asked for, and of a node of an earlier
   *     release
   */
  record EntryView(
      long id,
      String at,
      String dbUser,
      String who,
      String action,
      String object,
      @Nullable Json before,
      @Nullable Json after,
      String node,
      String address,
      @Nullable String correlation) {}

  /**
   * @param next the {@code before} of the next page, also where this one is not full; absent at the
   *     end
   */
  record AuditPage(List<EntryView> audit, @Nullable Long next) {}

  @GET
  @Needs(Access.AUDIT)
  public CompletionStage<byte[]> page(
      @QueryParam("kind") @Nullable String kind,
      @QueryParam("who") @Nullable String who,
      @QueryParam("action") @Nullable String action,
      @QueryParam("object") @Nullable String object,
      @QueryParam("node") @Nullable String node,
      @QueryParam("address") @Nullable String address,
      @QueryParam("correlation") @Nullable String correlation,
      @QueryParam("from") @Nullable String from,
      @QueryParam("to") @Nullable String to,
      @QueryParam("words") @Nullable String words,
      @QueryParam("before") @Nullable Long before,
      @QueryParam("limit") @DefaultValue("100") int limit) {
    OperationRequest.checkLimit(limit);
    var filter =
        new AuditLog.Filter(
            kind(kind),
            text("who", who),
            text("action", action),
            text("object", object),
            text("node", node),
            text("address", address),
            text("correlation", correlation),
            OperationRequest.time("from", from),
            OperationRequest.time("to", to),
            text("words", words));
    return adminCalls.view(
        () -> {
          var page = audit.page(filter, before == null ? Long.MAX_VALUE : before, limit);
          return new AuditPage(
              page.entries().stream().map(AuditResource::view).toList(), page.next());
        });
  }

  private static AuditLog.@Nullable Kind kind(@Nullable String given) {
    return given == null
        ? null
        : Stream.of(AuditLog.Kind.values())
            .filter(one -> one.wire().equals(given))
            .findFirst()
            .orElseThrow(
                () -> EventoException.invalid("kind", "must be changes, sign-ins or refusals"));
  }

  private static @Nullable String text(String name, @Nullable String given) {
    if (given != null && given.length() > TEXT_CHARS_MAX) {
      throw EventoException.invalid(name, "must have at most " + TEXT_CHARS_MAX + " characters");
    }
    return given;
  }

  private static EntryView view(AuditLog.Entry row) {
    return new EntryView(
        row.id(),
        AdminCalls.time(row.at()),
        row.dbUser(),
        row.who(),
        row.action(),
        row.object(),
        json(row.before()),
        json(row.after()),
        row.node(),
        row.address(),
        row.correlation());
  }

  private static @Nullable Json json(@Nullable String text) {
    return text == null ? null : new Json(text);
  }
}
