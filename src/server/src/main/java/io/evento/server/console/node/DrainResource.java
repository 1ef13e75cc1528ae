package io.evento.server.console.node;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Drains;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.Node;
import io.evento.server.console.AdminCalls;
import io.evento.server.console.NodeFigures;
import io.evento.server.console.OperationRequest;
import io.evento.server.gateway.access.Callers;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.security.Access;
import io.evento.server.security.Actor;
import io.evento.server.security.Needs;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Drains a node, and takes that back. Both may be asked again without effect. With {@code
 * dryRun=true} nothing is done, and the answer says what would be.
 */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("nodes/{name}")
@Produces(MediaType.APPLICATION_JSON)
@Consumes({MediaType.APPLICATION_JSON, MediaType.WILDCARD})
public class DrainResource {
  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private Drains drains;
  @Inject private NodeFigures figures;
  @Inject private Membership membership;
  @Inject private EntityManagers managers;
  @Inject private Settings settings;

  record Reason(@Nullable String reason) {}

  /**
   * What a node has that others take over.
   *
   * @param segments of consumers that it delivers
   * @param streamShare of all streams and boundaries, those that it owns; 0 to 1
   * @param figures absent if it did not answer in time
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Moves(long segments, double streamShare, NodeFigures.@Nullable Figures figures) {}

  /**
   * @param changed whether it was not so before
   * @param others nodes that take over what it has
   * @param lingerSeconds until bundles are told, as balancers have to see first that it is not
   *     ready
   */
  record DrainView(
      String action,
      String node,
      boolean dryRun,
      boolean changed,
      String detail,
      List<String> others,
      int lingerSeconds,
      Moves moves) {}

  /** Has a node hand over its streams, segments and sessions, and take nothing new. */
  @POST
  @Needs(Access.OPERATE)
  @Path("drain")
  public CompletionStage<byte[]> drain(
      @PathParam("name") String name,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var reason = OperationRequest.reason(OperationRequest.body(Reason.class, body).reason());
    var by = by();
    var isDry = OperationRequest.isDry(dryRun);
    return answer(
        name,
        moves -> {
          membership
              .members()
              .find(name)
              .ifPresent(node -> checkKnowsDrains(node, membership.release(), moves.figures()));
          return view(drains.drain(name, reason, by, isDry), moves);
        });
  }

  /** Makes a node that was drained a full member again. */
  @POST
  @Needs(Access.OPERATE)
  @Path("undrain")
  public CompletionStage<byte[]> undrain(
      @PathParam("name") String name,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var reason = OperationRequest.reason(OperationRequest.body(Reason.class, body).reason());
    var by = by();
    var isDry = OperationRequest.isDry(dryRun);
    return answer(name, moves -> view(drains.undrain(name, reason, by, isDry), moves));
  }

  /** No thread waits for the node's figures. */
  private CompletionStage<byte[]> answer(String name, Function<Moves, DrainView> work) {
    return figures
        .of(name)
        .thenCompose(found -> adminCalls.answer(() -> work.apply(moves(name, found.orElse(null)))));
  }

  /**
   * A node of an older release does not look whether it is to drain. Its figures tell; without them
   * only the same release as this one's is sure to know.
   */
  static void checkKnowsDrains(Node node, String release, NodeFigures.@Nullable Figures figures) {
    var knows = figures == null ? node.release().equals(release) : figures.commands() != null;
    if (!knows) {
      throw new EventoException(
          ErrorCode.CONFLICT,
          figures == null
              ? node.name() + " has another release, and does not say whether it can be drained"
              : node.name() + " is of a release that cannot be drained; stop it");
    }
  }

  private Actor by() {
    return Actor.of(Callers.of(security), membership.self());
  }

  private DrainView view(Drains.Done done, Moves moves) {
    return new DrainView(
        done.action(),
        done.node(),
        done.dryRun(),
        done.isChanged(),
        done.detail(),
        done.others(),
        settings.get(Setting.DRAIN_LINGER_SECONDS),
        moves);
  }

  private Moves moves(String name, NodeFigures.@Nullable Figures told) {
    var owners = membership.members().owners();
    return new Moves(
        managers.read(
            manager ->
                manager
                    .createQuery(
                        "select count(s.segment) from ConsumerSegmentRow s"
                            + " where s.owner = :name and s.leaseUntil > CURRENT_TIMESTAMP",
                        Long.class)
                    .setParameter("name", name)
                    .getSingleResult()),
        owners.contains(name) ? 1.0 / owners.size() : 0,
        told);
  }
}
