package io.evento.server.console.catalog;

import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.catalog.CatalogIndex;
import io.evento.server.catalog.CatalogPicture;
import io.evento.server.catalog.CatalogPicture.Type;
import io.evento.server.catalog.NameMatch;
import io.evento.server.cluster.Membership;
import io.evento.server.console.AdminCalls;
import io.evento.server.console.OperationRequest;
import io.evento.server.routing.session.Directory;
import jakarta.inject.Inject;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.QueryParam;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Pages of types out of the catalog in memory, with what the connected bundles host now. */
@NodeScoped
public class PayloadPages {
  private static final int TEXT_MAX = 200;
  private static final int FACET_MAX = 50;
  private static final int CHANGED_DAYS = 7;
  private static final Map<String, Integer> KINDS = Map.of("command", 0, "event", 1, "query", 2);

  private final CatalogIndex index;
  private final Directory directory;
  private final Membership membership;

  @Inject
  public PayloadPages(CatalogIndex index, Directory directory, Membership membership) {
    this.index = index;
    this.directory = directory;
    this.membership = membership;
  }

  /** What a page is asked for. */
  @SuppressWarnings("NullAway.Init") // filled by JAX-RS
  public static class Asked {
    @QueryParam("q")
    @DefaultValue("")
    String text;

    @QueryParam("kind")
    @DefaultValue("")
    String kind;

    @QueryParam("context")
    @DefaultValue("")
    String context;

    @QueryParam("bundle")
    @DefaultValue("")
    String bundle;

    /** Kind and name with a slash: only types that it handles, emits or is given. */
    @QueryParam("component")
    @DefaultValue("")
    String component;

    /** {@code unhandled}, {@code several}, {@code changed} or {@code personal}. */
    @QueryParam("only")
    @DefaultValue("")
    String only;

    @QueryParam("after")
    @DefaultValue("")
    String after;

    @QueryParam("limit")
    @DefaultValue("100")
    int limit;

    void check() {
      OperationRequest.checkLimit(limit);
      if (text.length() > TEXT_MAX) {
        throw EventoException.invalid("q", "must have at most " + TEXT_MAX + " characters");
      }
      if (!only.isEmpty() && !Flag.BY_NAME.containsKey(only)) {
        throw EventoException.invalid("only", "must be one of " + Flag.BY_NAME.keySet());
      }
    }
  }

  private enum Flag {
    UNHANDLED,
    SEVERAL,
    CHANGED,
    PERSONAL;

    static final Map<String, Flag> BY_NAME = new TreeMap<>();

    static {
      for (var flag : values()) {
        BY_NAME.put(flag.name().toLowerCase(Locale.ROOT), flag);
      }
    }
  }

  /**
   * @param handlers how many components handle it or are given it
   * @param hosted whether a connected instance handles it; absent for an event
   */
  record Row(
      String kind,
      String type,
      int version,
      String context,
      @Nullable String bundle,
      String component,
      String componentKind,
      int handlers,
      @Nullable Boolean hosted,
      boolean personal,
      String declaredAt) {}

  /**
   * @param next the {@code after} of the next page; absent at the end
   * @param total how many fit
   * @param facets by name of a filter and its value: how many would be left of what fits all other
   *     filters, the 50 largest
   */
  record Page(
      List<Row> items,
      @Nullable String next,
      int total,
      Map<String, Map<String, Integer>> facets) {}

  private record Scored(Type type, int score) {
    /** Sorts as the pages do. */
    String place() {
      return (9 - score) + " " + type.name() + " " + KINDS.get(type.kind());
    }
  }

  Page page(Asked asked) {
    var picture = index.picture();
    var hosted = hosted();
    var match = new NameMatch(asked.text);
    var week = OffsetDateTime.now(ZoneOffset.UTC).minusDays(CHANGED_DAYS);
    var filters = new HashMap<String, Predicate<Type>>();
    filters.put("kind", type -> fits(asked.kind, type.kind()));
    filters.put("context", type -> fits(asked.context, type.context()));
    filters.put("bundle", type -> fits(asked.bundle, type.bundle()));
    var flagged = Flag.BY_NAME.get(asked.only);
    filters.put("only", type -> flagged == null || is(flagged, picture, hosted, type, week));
    var component = component(picture, asked.component);
    var found = new ArrayList<Scored>();
    var facets = new TreeMap<String, Map<String, Integer>>();
    filters.keySet().forEach(name -> facets.put(name, new HashMap<>()));
    for (var type : picture.types()) {
      var score = asked.text.isBlank() ? 1 : match.score(type.name());
      if (score == 0 || !component.test(type)) {
        continue;
      }
      var missed = filters.entrySet().stream().filter(one -> !one.getValue().test(type)).toList();
      if (missed.isEmpty()) {
        found.add(new Scored(type, score));
      }
      if (missed.size() <= 1) {
        var only = missed.isEmpty() ? null : missed.get(0).getKey();
        count(facets, only, "kind", type.kind());
        count(facets, only, "context", type.context());
        count(facets, only, "bundle", type.bundle());
        Flag.BY_NAME.forEach(
            (name, flag) -> {
              if (is(flag, picture, hosted, type, week)) {
                count(facets, only, "only", name);
              }
            });
      }
    }
    found.sort(Comparator.comparing(Scored::place));
    var items =
        found.stream()
            .filter(one -> asked.after.isEmpty() || one.place().compareTo(asked.after) > 0)
            .limit(asked.limit + 1L)
            .toList();
    var hasMore = items.size() > asked.limit;
    var shown = hasMore ? items.subList(0, asked.limit) : items;
    facets.replaceAll((name, counts) -> largest(counts));
    return new Page(
        shown.stream().map(one -> row(picture, hosted, one.type())).toList(),
        hasMore ? shown.get(shown.size() - 1).place() : null,
        found.size(),
        facets);
  }

  private static boolean fits(String wanted, @Nullable String has) {
    return wanted.isEmpty() || wanted.equals(has);
  }

  private static Predicate<Type> component(CatalogPicture picture, String asked) {
    if (asked.isEmpty()) {
      return type -> true;
    }
    var cut = asked.indexOf('/');
    if (cut < 0) {
      throw EventoException.invalid("component", "must be a kind and a name with a slash between");
    }
    return picture
        .component(asked.substring(0, cut), asked.substring(cut + 1))
        .<Predicate<Type>>map(
            one ->
                type ->
                    switch (type.kind()) {
                      case "command" -> one.commands().contains(type.name());
                      case "query" -> one.queries().contains(type.name());
                      default ->
                          one.emits().contains(type.name()) || one.consumes().contains(type.name());
                    })
        .orElse(type -> false);
  }

  /** Counts what the filter itself would leave, so only where no other one fails. */
  private static void count(
      Map<String, Map<String, Integer>> facets,
      @Nullable String missed,
      String facet,
      @Nullable String value) {
    if (value != null && (missed == null || missed.equals(facet))) {
      facets.computeIfAbsent(facet, first -> new HashMap<>()).merge(value, 1, Integer::sum);
    }
  }

  private static Map<String, Integer> largest(Map<String, Integer> counts) {
    var largest = new LinkedHashMap<String, Integer>();
    counts.entrySet().stream()
        .sorted(
            Map.Entry.<String, Integer>comparingByValue()
                .reversed()
                .thenComparing(Map.Entry.comparingByKey()))
        .limit(FACET_MAX)
        .forEach(one -> largest.put(one.getKey(), one.getValue()));
    return largest;
  }

  private static boolean is(
      Flag flag, CatalogPicture picture, Set<String> hosted, Type type, OffsetDateTime week) {
    return switch (flag) {
      case UNHANDLED ->
          type.kind().equals("event")
              ? picture.consumers(type.name()).isEmpty()
              : !hosted.contains(type.kind() + ' ' + type.name());
      case SEVERAL -> picture.handlers(type).size() > 1;
      case CHANGED -> type.version() > 1 && type.declaredAt().isAfter(week);
      case PERSONAL -> type.isPersonal();
    };
  }

  private static Row row(CatalogPicture picture, Set<String> hosted, Type type) {
    return new Row(
        type.kind(),
        type.name(),
        type.version(),
        type.context(),
        type.bundle(),
        type.owner().name(),
        type.owner().kind(),
        picture.handlers(type).size(),
        type.kind().equals("event") ? null : hosted.contains(type.kind() + ' ' + type.name()),
        type.isPersonal(),
        AdminCalls.time(type.declaredAt()));
  }

  /** Commands and queries that a connected instance handles, with their kinds. */
  private Set<String> hosted() {
    var hosted = new HashSet<String>();
    each(
        entry -> {
          entry.commands().forEach(type -> hosted.add("command " + type));
          entry.queries().forEach(type -> hosted.add("query " + type));
        });
    return hosted;
  }

  /** How many connected instances handle a command or answer a query, as far as was heard. */
  int instances(Type type) {
    var found = new HashSet<UUID>();
    each(
        entry -> {
          var types = type.kind().equals("command") ? entry.commands() : entry.queries();
          if (types.contains(type.name())) {
            found.add(entry.instance());
          }
        });
    return found.size();
  }

  private void each(Consumer<Directory.Entry> work) {
    directory.everywhere(membership.self()).values().forEach(entries -> entries.forEach(work));
  }
}
