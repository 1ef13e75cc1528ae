package io.evento.server.console.catalog;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.catalog.CatalogIndex;
import io.evento.server.catalog.CatalogMap;
import io.evento.server.catalog.CatalogPicture;
import io.evento.server.console.AdminCalls;
import io.evento.server.console.catalog.MapMeasures.Measured;
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
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The map of what is between components and types, a part at a time; for the console. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("map")
@Produces(MediaType.APPLICATION_JSON)
public class MapResource {
  private static final int STEPS_MAX = 2;

  @Inject private AdminCalls adminCalls;
  @Inject private CatalogIndex index;
  @Inject private MapMeasures measures;

  /**
   * @param types how many types go along it
   * @param perSecond of the last 15 minutes; absent, as what follows, if it was not asked for, or
   *     if it cannot be told of the edge
   * @param errorShare of these, 0 to 1
   * @param seen whether anything went along it, as far back as telemetry is kept
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record EdgeView(
      String from,
      String to,
      String kind,
      int types,
      @Nullable Double perSecond,
      @Nullable Double errorShare,
      @Nullable Boolean seen) {
    static EdgeView of(CatalogMap.Edge edge, MapMeasures.@Nullable Measured measured) {
      return new EdgeView(
          edge.from(),
          edge.to(),
          edge.kind(),
          edge.types(),
          measured == null ? null : measured.perSecond(),
          measured == null ? null : measured.errorShare(),
          measured == null ? null : measured.isSeen());
    }
  }

  record MapView(String level, List<CatalogMap.Box> boxes, List<EdgeView> edges, int left) {}

  /**
   * A part of the map: around one component or type, of one bundle, or all bundles.
   *
   * @param kind of a component or a type that the map is about, with its name
   * @param measured whether to tell what was measured along the edges
   */
  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> map(
      @QueryParam("kind") @Nullable String kind,
      @QueryParam("name") @Nullable String name,
      @QueryParam("bundle") @Nullable String bundle,
      @QueryParam("steps") @DefaultValue("1") int steps,
      @QueryParam("measured") @DefaultValue("false") boolean measured) {
    if (steps < 1 || steps > STEPS_MAX) {
      throw EventoException.invalid("steps", "must be 1 or " + STEPS_MAX);
    }
    if ((kind == null) != (name == null)) {
      throw EventoException.invalid(kind == null ? "kind" : "name", "is required with the other");
    }
    return adminCalls.view(
        () -> {
          var picture = index.picture();
          var view = part(picture, kind, name, bundle, steps);
          var found = measured ? measures.of(picture, view) : Map.<CatalogMap.Edge, Measured>of();
          return new MapView(
              view.level(),
              view.boxes(),
              view.edges().stream().map(edge -> EdgeView.of(edge, found.get(edge))).toList(),
              view.left());
        });
  }

  private static CatalogMap.View part(
      CatalogPicture picture,
      @Nullable String kind,
      @Nullable String name,
      @Nullable String bundle,
      int steps) {
    if (kind != null && name != null) {
      check(picture, kind, name);
      return CatalogMap.focus(picture, kind, name, steps);
    }
    if (bundle == null) {
      return CatalogMap.bundles(picture);
    }
    if (!picture.bundles().contains(bundle)) {
      throw new EventoException(
          ErrorCode.NOT_FOUND, "no bundle " + bundle + " ever declared anything");
    }
    return CatalogMap.bundle(picture, bundle);
  }

  private static void check(CatalogPicture picture, String kind, String name) {
    var isThere =
        picture.component(kind, name).isPresent()
            || picture.type(kind, name).isPresent()
            || kind.equals("event") && !picture.consumers(name).isEmpty();
    if (!isThere) {
      throw new EventoException(
          ErrorCode.NOT_FOUND, "nobody ever declared the " + kind + " " + name);
    }
  }
}
