package io.evento.server.console.catalog;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.catalog.CatalogIndex;
import io.evento.server.catalog.CatalogPicture.Component;
import io.evento.server.catalog.NameMatch;
import io.evento.server.cluster.Membership;
import io.evento.server.console.AdminCalls;
import io.evento.server.console.OperationRequest;
import io.evento.server.routing.session.Directory;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Components, a page or one at a time; for the console. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("components")
@Produces(MediaType.APPLICATION_JSON)
public class ComponentResource {
  private static final int TEXT_MAX = 200;

  @Inject private AdminCalls adminCalls;
  @Inject private CatalogIndex index;
  @Inject private Directory directory;
  @Inject private Membership membership;

  /**
   * @param versions of a consumer; none of others
   * @param instances that are connected and host it, as far as was heard
   */
  record Row(
      String kind,
      String name,
      List<Integer> versions,
      String context,
      String bundle,
      int commands,
      int queries,
      int emits,
      int consumes,
      int instances,
      String declaredAt) {}

  /**
   * @param next the {@code after} of the next page; absent at the end
   * @param facets by name of a filter and its value: how many fit the words
   */
  record Page(
      List<Row> items, @Nullable String next, int total, Map<String, Map<String, Long>> facets) {}

  record InstanceView(UUID instance, String bundle, Set<String> nodes) {}

  @JsonInclude(JsonInclude.Include.NON_NULL)
  record OneView(
      String kind,
      String name,
      List<Integer> versions,
      String context,
      String bundle,
      @Nullable String projector,
      String declaredAt,
      Set<String> commands,
      Set<String> queries,
      Set<String> emits,
      Set<String> consumes,
      List<InstanceView> instances) {}

  private record Scored(Component component, int score) {
    /** Sorts as the pages do. */
    String place() {
      return (9 - score) + " " + component.id().name() + " " + component.id().kind();
    }
  }

  /** A page of components that fit, the best fit first. */
  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> page(
      @QueryParam("q") @DefaultValue("") String text,
      @QueryParam("kind") @DefaultValue("") String kind,
      @QueryParam("context") @DefaultValue("") String context,
      @QueryParam("bundle") @DefaultValue("") String bundle,
      @QueryParam("after") @DefaultValue("") String after,
      @QueryParam("limit") @DefaultValue("100") int limit) {
    OperationRequest.checkLimit(limit);
    if (text.length() > TEXT_MAX) {
      throw EventoException.invalid("q", "must have at most " + TEXT_MAX + " characters");
    }
    return adminCalls.view(
        () -> {
          var match = new NameMatch(text);
          var fitting =
              index.picture().components().stream()
                  .map(one -> new Scored(one, text.isBlank() ? 1 : match.score(one.id().name())))
                  .filter(one -> one.score() > 0)
                  .toList();
          var found =
              fitting.stream()
                  .filter(one -> fits(kind, one.component().id().kind()))
                  .filter(one -> fits(context, one.component().context()))
                  .filter(one -> fits(bundle, one.component().bundle()))
                  .sorted(Comparator.comparing(Scored::place))
                  .toList();
          var items =
              found.stream()
                  .filter(one -> after.isEmpty() || one.place().compareTo(after) > 0)
                  .limit(limit + 1L)
                  .toList();
          var hasMore = items.size() > limit;
          var shown = hasMore ? items.subList(0, limit) : items;
          var hosts = hosts();
          return new Page(
              shown.stream().map(one -> row(one.component(), hosts)).toList(),
              hasMore ? shown.get(shown.size() - 1).place() : null,
              found.size(),
              facets(fitting));
        });
  }

  /** One component with what it handles, emits and is given, and where it is hosted. */
  @GET
  @Needs(Access.VIEW)
  @Path("{kind}/{name}")
  public CompletionStage<byte[]> one(
      @PathParam("kind") String kind, @PathParam("name") String name) {
    return adminCalls.view(
        () -> {
          var one =
              index
                  .picture()
                  .component(kind, name)
                  .orElseThrow(
                      () ->
                          new EventoException(
                              ErrorCode.NOT_FOUND,
                              "nobody ever declared the " + kind + " " + name));
          return new OneView(
              kind,
              name,
              versions(one),
              one.context(),
              one.bundle(),
              one.projector(),
              AdminCalls.time(one.declaredAt()),
              one.commands(),
              one.queries(),
              one.emits(),
              one.consumes(),
              instances(kind, name));
        });
  }

  private static boolean fits(String wanted, String has) {
    return wanted.isEmpty() || wanted.equals(has);
  }

  private static Map<String, Map<String, Long>> facets(List<Scored> fitting) {
    var facets = new TreeMap<String, Map<String, Long>>();
    facets.put("kind", counts(fitting.stream().map(one -> one.component().id().kind())));
    facets.put("context", counts(fitting.stream().map(one -> one.component().context())));
    facets.put("bundle", counts(fitting.stream().map(one -> one.component().bundle())));
    return facets;
  }

  private static Map<String, Long> counts(Stream<String> values) {
    return values.collect(
        Collectors.groupingBy(value -> value, TreeMap::new, Collectors.counting()));
  }

  private static Row row(Component one, Map<String, Set<UUID>> hosts) {
    return new Row(
        one.id().kind(),
        one.id().name(),
        versions(one),
        one.context(),
        one.bundle(),
        one.commands().size(),
        one.queries().size(),
        one.emits().size(),
        one.consumes().size(),
        hosts.getOrDefault(one.id().kind() + ' ' + one.id().name(), Set.of()).size(),
        AdminCalls.time(one.declaredAt()));
  }

  private static List<Integer> versions(Component one) {
    return one.versions().stream().filter(version -> version > 0).toList();
  }

  /** By kind and name: who hosts it. */
  private Map<String, Set<UUID>> hosts() {
    var hosts = new HashMap<String, Set<UUID>>();
    directory
        .everywhere(membership.self())
        .values()
        .forEach(
            entries ->
                entries.forEach(
                    entry ->
                        entry
                            .components()
                            .forEach(
                                name ->
                                    hosts
                                        .computeIfAbsent(name, first -> new TreeSet<>())
                                        .add(entry.instance()))));
    return hosts;
  }

  private List<InstanceView> instances(String kind, String name) {
    var found = new TreeMap<UUID, InstanceView>();
    directory
        .everywhere(membership.self())
        .forEach(
            (node, entries) -> {
              for (var entry : entries) {
                if (entry.components().contains(kind + ' ' + name)) {
                  found
                      .computeIfAbsent(
                          entry.instance(),
                          instance -> new InstanceView(instance, entry.bundle(), new TreeSet<>()))
                      .nodes()
                      .add(node);
                }
              }
            });
    return new ArrayList<>(found.values());
  }
}
