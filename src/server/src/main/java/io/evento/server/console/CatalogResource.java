package io.evento.server.console;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.catalog.ComponentRow;
import io.evento.server.catalog.Ownership;
import io.evento.server.catalog.PayloadRow;
import io.evento.server.catalog.PayloadVersionRow;
import io.evento.server.catalog.Removals;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.routing.session.Directory;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
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
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What bundles ever declared: components, payload types and their schemas; to whom components
 * belong, and what operators do about that. With {@code dryRun=true} nothing is done, and the
 * answer says what would be.
 */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("catalog")
@Produces(MediaType.APPLICATION_JSON)
public class CatalogResource {
  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private EntityManagers managers;
  @Inject private Ownership ownership;
  @Inject private Removals removals;
  @Inject private Directory directory;
  @Inject private Hearsay hearsay;

  /**
   * @param bundle that declared it last
   * @param owner the bundle that it belongs to; absent if it is given to whoever comes first
   */
  record ComponentView(
      String kind,
      String name,
      int version,
      String context,
      String bundle,
      String declaredAt,
      @Nullable String owner) {}

  /**
   * @param action {@code declare}, {@code owner} or {@code contexts}
   * @param version of a declaration; else 0
   * @param bundle that declared it, or owned it from then on; absent for nobody
   * @param context of a declaration; absent otherwise
   * @param definition of a declaration, as it came; absent otherwise
   * @param by {@code bundle} for a declaration
   */
  record ChangeView(
      long id,
      String declaredAt,
      String action,
      int version,
      @Nullable String bundle,
      @Nullable String context,
      @Nullable Json definition,
      String by,
      String detail,
      @Nullable String reason) {}

  /**
   * @param owner absent if it is given to whoever declares it first
   * @param contexts in which it may be declared; empty for any
   * @param history newest first
   * @param next the {@code before} of the next page; absent at the end
   */
  record StandingView(
      String kind,
      String name,
      @Nullable String owner,
      List<String> contexts,
      List<ChangeView> history,
      @Nullable Long next) {}

  /**
   * @param bundle null to give it to whoever declares it first
   */
  record HandOver(@Nullable String bundle, @Nullable String reason) {}

  record Allow(@Nullable List<String> contexts, @Nullable String reason) {}

  /** A shape that a type has or had, the present one included. */
  record VersionView(int version, @Nullable Json schema, String bundle, String declaredAt) {}

  record PayloadView(
      String kind,
      String type,
      int version,
      String component,
      String componentKind,
      String context,
      @Nullable String idProperty,
      @Nullable Json schema,
      @Nullable Json viewSchema,
      boolean retry,
      List<VersionView> versions) {}

  record CatalogView(List<ComponentView> components, List<PayloadView> payloads) {}

  /**
   * @param component only what is declared of components of this name; absent for everything, which
   *     with 10,000 types is megabytes
   */
  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> all(@QueryParam("component") @Nullable String component) {
    return adminCalls.view(
        () -> {
          var owners = ownership.all();
          return managers.read(manager -> view(manager, owners, component));
        });
  }

  /** To whom a component belongs, and every change of its declaration, newest first. */
  @GET
  @Needs(Access.VIEW)
  @Path("components/{kind}/{name}")
  public CompletionStage<byte[]> component(
      @PathParam("kind") String kind,
      @PathParam("name") String name,
      @QueryParam("before") @Nullable Long before,
      @QueryParam("limit") @DefaultValue("100") int limit) {
    OperationRequest.checkLimit(limit);
    return adminCalls.view(
        () -> {
          var owner = ownership.all().get(new Ownership.Id(kind, name));
          if (owner == null) {
            throw new EventoException(
                ErrorCode.NOT_FOUND, "nobody ever declared the " + kind + " " + name);
          }
          var history =
              ownership.history(kind, name, before == null ? Long.MAX_VALUE : before, limit);
          return new StandingView(
              kind,
              name,
              owner.bundle(),
              owner.contexts(),
              history.stream().map(CatalogResource::view).toList(),
              history.size() < limit ? null : history.get(history.size() - 1).id());
        });
  }

  /** Hands a component over: {@code {"bundle":"…"}}; without one to whoever declares it first. */
  @POST
  @Needs(Access.ADMINISTER)
  @Path("components/{kind}/{name}/owner")
  @Consumes({MediaType.APPLICATION_JSON, MediaType.WILDCARD})
  public CompletionStage<byte[]> handOver(
      @PathParam("kind") String kind,
      @PathParam("name") String name,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var to = OperationRequest.body(HandOver.class, body);
    var asked = asked(kind, name, to.reason(), dryRun);
    return adminCalls.answer(
        () ->
            ownership.handOver(
                asked, to.bundle(), bundle -> directory.isHosted(bundle, kind, name)));
  }

  /** Says in which contexts it may be declared: {@code {"contexts":["shop","sales"]}}. */
  @POST
  @Needs(Access.ADMINISTER)
  @Path("components/{kind}/{name}/contexts")
  @Consumes({MediaType.APPLICATION_JSON, MediaType.WILDCARD})
  public CompletionStage<byte[]> allow(
      @PathParam("kind") String kind,
      @PathParam("name") String name,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var allow = OperationRequest.body(Allow.class, body);
    var contexts = allow.contexts();
    if (contexts == null) {
      throw EventoException.invalid("/contexts", "is required");
    }
    var asked = asked(kind, name, allow.reason(), dryRun);
    return adminCalls.answer(() -> ownership.allow(asked, contexts));
  }

  /**
   * Removes a component that nobody hosts, with its types. The reason is in the address: Payara
   * takes no body with a DELETE.
   */
  @DELETE
  @Needs(Access.ADMINISTER)
  @Path("components/{kind}/{name}")
  public CompletionStage<byte[]> remove(
      @PathParam("kind") String kind,
      @PathParam("name") String name,
      @QueryParam("reason") @Nullable String reason,
      @QueryParam("dryRun") @Nullable String dryRun) {
    var asked = asked(kind, name, reason, dryRun);
    return adminCalls.answer(
        () -> {
          hearsay.check();
          return removals.removeComponent(asked, () -> directory.isHosted(kind, name));
        });
  }

  /**
   * Removes a type of {@code command}, {@code event} or {@code query} that nobody hosts. The reason
   * is in the address here too.
   */
  @DELETE
  @Needs(Access.ADMINISTER)
  @Path("payloads/{kind}/{type}")
  public CompletionStage<byte[]> removeType(
      @PathParam("kind") String kind,
      @PathParam("type") String type,
      @QueryParam("reason") @Nullable String reason,
      @QueryParam("dryRun") @Nullable String dryRun) {
    var asked = asked(kind, type, reason, dryRun);
    return adminCalls.answer(
        () -> {
          hearsay.check();
          var found =
              managers.read(
                  manager ->
                      manager
                          .createQuery(
                              "select p from PayloadRow p where p.kind = :kind and p.type = :type",
                              PayloadRow.class)
                          .setParameter("kind", kind)
                          .setParameter("type", type)
                          .getResultStream()
                          .findFirst());
          return removals.removeType(
              asked,
              () ->
                  kind.equals("event")
                      ? found
                          .filter(row -> directory.isHosted(row.componentKind(), row.component()))
                          .isPresent()
                      : directory.isTaken(type));
        });
  }

  private Ownership.Asked asked(
      String kind, String name, @Nullable String reason, @Nullable String dryRun) {
    return new Ownership.Asked(
        kind,
        name,
        OperationRequest.by(security),
        OperationRequest.reason(reason),
        OperationRequest.isDry(dryRun));
  }

  private static CatalogView view(
      EntityManager manager,
      Map<Ownership.Id, Ownership.Standing> owners,
      @Nullable String component) {
    var versions =
        manager
            .createQuery(
                "select v from PayloadVersionRow v where :component is null or exists (select p from"
                    + " PayloadRow p where p.kind = v.kind and p.type = v.type and p.component ="
                    + " :component) order by v.kind, v.type, v.version",
                PayloadVersionRow.class)
            .setParameter("component", component)
            .getResultStream()
            .collect(Collectors.groupingBy(row -> row.kind() + " " + row.type()));
    return new CatalogView(
        manager
            .createQuery(
                "select c from ComponentRow c where :component is null or c.name = :component"
                    + " order by c.kind, c.name, c.version",
                ComponentRow.class)
            .setParameter("component", component)
            .getResultStream()
            .map(row -> view(row, owners.get(new Ownership.Id(row.kind(), row.name()))))
            .toList(),
        manager
            .createQuery(
                "select p from PayloadRow p where :component is null or p.component = :component"
                    + " order by p.kind, p.type",
                PayloadRow.class)
            .setParameter("component", component)
            .getResultStream()
            .map(row -> view(row, versions.getOrDefault(row.kind() + " " + row.type(), List.of())))
            .toList());
  }

  private static ChangeView view(Ownership.Change change) {
    return new ChangeView(
        change.id(),
        AdminCalls.time(change.at()),
        change.action(),
        change.version(),
        change.bundle(),
        change.context(),
        json(change.definition()),
        change.by(),
        change.detail(),
        change.reason());
  }

  private static ComponentView view(ComponentRow row, Ownership.@Nullable Standing standing) {
    return new ComponentView(
        row.kind(),
        row.name(),
        row.version(),
        row.context(),
        row.bundle(),
        AdminCalls.time(row.declaredAt()),
        standing == null ? row.bundle() : standing.bundle());
  }

  private static PayloadView view(PayloadRow row, List<PayloadVersionRow> versions) {
    return new PayloadView(
        row.kind(),
        row.type(),
        row.version(),
        row.component(),
        row.componentKind(),
        row.context(),
        row.idProperty(),
        json(row.schema()),
        json(row.viewSchema()),
        row.retry(),
        versions.stream()
            .map(
                version ->
                    new VersionView(
                        version.version(),
                        json(version.schema()),
                        version.bundle(),
                        AdminCalls.time(version.declaredAt())))
            .toList());
  }

  private static @Nullable Json json(@Nullable String text) {
    return text == null ? null : new Json(text);
  }
}
