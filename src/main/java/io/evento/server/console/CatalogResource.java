package io.evento.server.console;

import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.catalog.ComponentRow;
import io.evento.server.catalog.PayloadRow;
import io.evento.server.catalog.PayloadVersionRow;
import io.evento.server.persistence.EntityManagers;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What bundles ever declared: components, payload types and their schemas. */
@NodeScoped
@Path("catalog")
@Produces(MediaType.APPLICATION_JSON)
public class CatalogResource {
  @Inject private Administration administration;
  @Inject private EntityManagers managers;

  record ComponentView(
      String kind, String name, int version, String context, String bundle, String declaredAt) {}

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

  @GET
  public CompletionStage<byte[]> all() {
    return administration.answer(() -> managers.read(CatalogResource::view));
  }

  private static CatalogView view(EntityManager manager) {
    var versions =
        manager
            .createQuery(
                "select v from PayloadVersionRow v order by v.kind, v.type, v.version",
                PayloadVersionRow.class)
            .getResultStream()
            .collect(Collectors.groupingBy(row -> row.kind() + " " + row.type()));
    return new CatalogView(
        manager
            .createQuery(
                "select c from ComponentRow c order by c.kind, c.name, c.version",
                ComponentRow.class)
            .getResultStream()
            .map(CatalogResource::view)
            .toList(),
        manager
            .createQuery("select p from PayloadRow p order by p.kind, p.type", PayloadRow.class)
            .getResultStream()
            .map(row -> view(row, versions.getOrDefault(row.kind() + " " + row.type(), List.of())))
            .toList());
  }

  private static ComponentView view(ComponentRow row) {
    return new ComponentView(
        row.kind(),
        row.name(),
        row.version(),
        row.context(),
        row.bundle(),
        Administration.time(row.declaredAt()));
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
                        Administration.time(version.declaredAt())))
            .toList());
  }

  private static @Nullable Json json(@Nullable String text) {
    return text == null ? null : new Json(text);
  }
}
