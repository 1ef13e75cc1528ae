package io.evento.server.console;

import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.eventstore.append.StoreAcceptance;
import io.evento.server.eventstore.append.StoreAcceptance.Found;
import io.evento.server.eventstore.append.StoreAcceptance.Identity;
import io.evento.server.eventstore.append.StoreAcceptance.Lost;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Whose store this node has, which ones it refuses, and an operator's word that one is right. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("store")
@Produces(MediaType.APPLICATION_JSON)
public class StoreResource {
  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private StoreAcceptance stores;
  @Inject private Membership membership;

  /**
   * @param systemIdentifier as text, for it has more digits than a number in JSON can keep
   */
  record StoreView(
      @Nullable String systemIdentifier, @Nullable String timeline, String epoch, long head) {
    static @Nullable StoreView of(@Nullable Identity store) {
      return store == null
          ? null
          : new StoreView(
              store.system() == null ? null : store.system().toString(),
              store.timeline(),
              store.epoch().toString(),
              store.head());
    }
  }

  record LostView(long from, long to, long events) {
    static @Nullable LostView of(@Nullable Lost lost) {
      return lost == null
          ? null
          : new LostView(lost.from(), lost.to(), lost.to() - lost.from() + 1);
    }
  }

  /**
   * @param state {@code fit}, {@code refused}, {@code standby} or {@code silent}
   */
  record HostView(
      String host,
      String state,
      @Nullable StoreView store,
      @Nullable String why,
      @Nullable LostView lost) {
    static HostView of(Found found) {
      return new HostView(
          found.host(),
          found.fitness().name().toLowerCase(Locale.ROOT),
          StoreView.of(found.store()),
          found.why(),
          LostView.of(found.lost()));
    }
  }

  /**
   * @param state of the answering node: {@code fit} or {@code refused}
   */
  record NodeView(
      String node,
      String state,
      @Nullable String why,
      @Nullable StoreView known,
      List<HostView> hosts) {}

  record Acceptance(
      @Nullable String systemIdentifier,
      @Nullable String epoch,
      @Nullable Long head,
      @Nullable String reason) {}

  record Accepted(HostView accepted, @Nullable String epoch, boolean dryRun) {}

  /** What the answering node knows, and what it finds at the hosts of its JDBC URL. */
  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> look() {
    return adminCalls.answerPatiently(
        () -> {
          var view = stores.look();
          return new NodeView(
              membership.self(),
              view.refusal() == null ? "fit" : "refused",
              view.refusal(),
              StoreView.of(view.known()),
              view.hosts().stream().map(HostView::of).toList());
        });
  }

  /** Body: {@code {"systemIdentifier","epoch","head","reason"}}, as {@link #look} showed them. */
  @POST
  @Needs(Access.ADMINISTER)
  @Path("accept")
  @Consumes({MediaType.APPLICATION_JSON, MediaType.WILDCARD})
  public CompletionStage<byte[]> accept(
      @QueryParam("dryRun") @Nullable String dryRun, InputStream body) throws IOException {
    var given = OperationRequest.body(Acceptance.class, body);
    var isDry = OperationRequest.isDry(dryRun);
    var asked =
        new StoreAcceptance.Asked(
            store(given),
            OperationRequest.by(security),
            OperationRequest.reason(given.reason),
            isDry);
    return adminCalls.answerPatiently(
        () -> {
          var done = stores.accept(asked);
          var epoch = done.epoch();
          return new Accepted(
              HostView.of(done.found()), epoch == null ? null : epoch.toString(), isDry);
        });
  }

  private static Identity store(Acceptance given) {
    var epoch = given.epoch;
    if (epoch == null) {
      throw EventoException.invalid("/epoch", "is required");
    }
    var head = given.head;
    if (head == null || head < 0) {
      throw EventoException.invalid("/head", "is required and must be 0 or more");
    }
    return new Identity(system(given.systemIdentifier), null, epoch(epoch), head);
  }

  private static UUID epoch(String given) {
    try {
      return UUID.fromString(given);
    } catch (IllegalArgumentException wrong) {
      throw EventoException.invalid("/epoch", "must be a UUID");
    }
  }

  private static @Nullable Long system(@Nullable String given) {
    try {
      return given == null ? null : Long.valueOf(given);
    } catch (NumberFormatException wrong) {
      throw EventoException.invalid("/systemIdentifier", "must be a whole number, as text");
    }
  }
}
