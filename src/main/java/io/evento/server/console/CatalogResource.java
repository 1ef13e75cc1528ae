package io.evento.server.console;

import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.catalog.ComponentRow;
import io.evento.server.catalog.PayloadRow;
import io.evento.server.persistence.EntityManagers;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.concurrent.CompletionStage;
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

  record PayloadView(
      String kind,
      String type,
      String component,
      String componentKind,
      String context,
      @Nullable String idProperty,
      @Nullable Json schema,
      @Nullable Json viewSchema) {}

  record CatalogView(List<ComponentView> components, List<PayloadView> payloads) {}

  @GET
  public CompletionStage<byte[]> all() {
    return administration.answer(
        () ->
            managers.read(
                manager ->
                    new CatalogView(
                        manager
                            .createQuery(
                                "select c from ComponentRow c order by c.kind, c.name, c.version",
                                ComponentRow.class)
                            .getResultStream()
                            .map(CatalogResource::view)
                            .toList(),
                        manager
                            .createQuery(
                                "select p from PayloadRow p order by p.kind, p.type",
                                PayloadRow.class)
                            .getResultStream()
                            .map(CatalogResource::view)
                            .toList())));
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

  private static PayloadView view(PayloadRow row) {
    return new PayloadView(
        row.kind(),
        row.type(),
        row.component(),
        row.componentKind(),
        row.context(),
        row.idProperty(),
        json(row.schema()),
        json(row.viewSchema()));
  }

  private static @Nullable Json json(@Nullable String text) {
    return text == null ? null : new Json(text);
  }
}
