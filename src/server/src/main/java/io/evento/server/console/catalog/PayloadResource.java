package io.evento.server.console.catalog;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.catalog.CatalogIndex;
import io.evento.server.catalog.CatalogPicture.Member;
import io.evento.server.catalog.CatalogPicture.Type;
import io.evento.server.catalog.PayloadRow;
import io.evento.server.catalog.PayloadVersionRow;
import io.evento.server.catalog.PersonalMask;
import io.evento.server.catalog.SchemaChange;
import io.evento.server.catalog.SchemaCheck;
import io.evento.server.console.AdminCalls;
import io.evento.server.console.OperationRequest;
import io.evento.server.eventstore.read.EventRow;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.gateway.access.Callers;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.routing.Author;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import io.evento.server.security.Right;
import jakarta.inject.Inject;
import jakarta.ws.rs.BeanParam;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Types of commands, events and queries, a page or one at a time; for the console. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("payloads")
@Produces(MediaType.APPLICATION_JSON)
public class PayloadResource {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final int EXAMPLES_MAX = 3;
  private static final int SENDERS_AMONG = 200;
  private static final int CHECKED_BYTES_MAX = 1 << 20;

  /** Examples are looked for among so many positions at the end of the store. */
  private static final int EXAMPLE_POSITIONS = 20_000;

  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private CatalogIndex index;
  @Inject private PayloadPages pages;
  @Inject private EntityManagers managers;
  @Inject private OrderReader order;

  record MemberView(String kind, String name) {
    static List<MemberView> of(Collection<Member> members) {
      return members.stream().map(one -> new MemberView(one.kind(), one.name())).toList();
    }
  }

  /**
   * @param changes from the version before; none of the first
   * @param verdict {@code first}, {@code same}, {@code compatible} or {@code breaking}
   */
  record VersionView(
      int version,
      @Nullable Json schema,
      String bundle,
      String declaredAt,
      String verdict,
      List<SchemaChange> changes) {}

  /**
   * @param handlers of a command or query; consumers of an event
   * @param emitters of an event
   * @param hosted how many connected instances handle it; absent for an event
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record OneView(
      String kind,
      String type,
      int version,
      String context,
      @Nullable String bundle,
      String component,
      String componentKind,
      @Nullable String idProperty,
      @Nullable Json schema,
      @Nullable Json viewSchema,
      boolean retry,
      boolean personal,
      String declaredAt,
      @Nullable Integer hosted,
      List<MemberView> handlers,
      List<MemberView> emitters,
      List<VersionView> versions) {}

  record ExampleView(long position, String stream, String recordedAt, Json payload) {}

  /**
   * Who sent an event's command, or appended it.
   *
   * @param who such as {@code bundle shop}
   */
  record SenderView(String who, long events) {}

  /**
   * @param senders of the last 200 of these events, the most frequent first; none where nodes are
   *     open, as nobody is known there
   * @param among how many of the last positions were looked at
   */
  record Examples(List<ExampleView> items, List<SenderView> senders, int among) {}

  record Checked(boolean valid, List<SchemaCheck.Fault> errors) {}

  /** A page of types that fit, the best fit first, with how many there are of each facet. */
  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> page(@BeanParam PayloadPages.Asked asked) {
    asked.check();
    return adminCalls.view(() -> pages.page(asked));
  }

  @GET
  @Needs(Access.VIEW)
  @Path("{kind}/{type}")
  public CompletionStage<byte[]> one(
      @PathParam("kind") String kind, @PathParam("type") String type) {
    return adminCalls.view(() -> one(found(kind, type)));
  }

  /** The last events of a type; what is personal in them is hidden. */
  @GET
  @Needs(Access.READ)
  @Path("event/{type}/examples")
  public CompletionStage<byte[]> examples(@PathParam("type") String type) {
    var caller = Callers.of(security);
    return adminCalls.view(
        () -> {
          var found = found("event", type);
          caller.require(Right.READ, found.context(), type);
          return examples(found);
        });
  }

  /** Finds where a value is not what the type's schema says. */
  @POST
  @Needs(Access.VIEW)
  @Path("{kind}/{type}/check")
  @Consumes({MediaType.APPLICATION_JSON, MediaType.WILDCARD})
  public CompletionStage<byte[]> check(
      @PathParam("kind") String kind, @PathParam("type") String type, InputStream body)
      throws IOException {
    var value = OperationRequest.json(body, CHECKED_BYTES_MAX);
    return adminCalls.view(
        () -> {
          var row = row(found(kind, type));
          var given = tree(value.text());
          var schema = row.schema();
          var faults = new ArrayList<SchemaCheck.Fault>();
          if (schema != null) {
            faults.addAll(SchemaCheck.check(tree(schema), given));
          }
          checkRoute(row.idProperty(), given, faults);
          return new Checked(faults.isEmpty(), faults);
        });
  }

  /** What routes a command has to be there, whatever the schema says. */
  private static void checkRoute(
      @Nullable String property, JsonNode given, List<SchemaCheck.Fault> faults) {
    if (property != null
        && given.isObject()
        && given.path(property).asText("").isEmpty()
        && faults.stream().noneMatch(fault -> fault.field().equals('/' + property))) {
      faults.add(new SchemaCheck.Fault('/' + property, "is required, it says whose it is"));
    }
  }

  private Type found(String kind, String type) {
    return index
        .picture()
        .type(kind, type)
        .orElseThrow(
            () ->
                new EventoException(
                    ErrorCode.NOT_FOUND, "nobody ever declared the " + kind + " " + type));
  }

  private PayloadRow row(Type type) {
    return managers
        .read(
            manager ->
                manager
                    .createQuery(
                        "select p from PayloadRow p where p.kind = :kind and p.type = :type",
                        PayloadRow.class)
                    .setParameter("kind", type.kind())
                    .setParameter("type", type.name())
                    .getResultStream()
                    .findFirst())
        .orElseThrow(
            () -> new EventoException(ErrorCode.NOT_FOUND, type.name() + " was removed just now"));
  }

  private List<PayloadVersionRow> versions(Type type) {
    return managers.read(
        manager ->
            manager
                .createQuery(
                    "select v from PayloadVersionRow v where v.kind = :kind and v.type = :type"
                        + " order by v.version",
                    PayloadVersionRow.class)
                .setParameter("kind", type.kind())
                .setParameter("type", type.name())
                .getResultList());
  }

  private OneView one(Type type) {
    var row = row(type);
    var picture = index.picture();
    var isEvent = type.kind().equals("event");
    return new OneView(
        type.kind(),
        type.name(),
        row.version(),
        row.context(),
        type.bundle(),
        row.component(),
        row.componentKind(),
        row.idProperty(),
        json(row.schema()),
        json(row.viewSchema()),
        row.retry(),
        type.isPersonal(),
        AdminCalls.time(type.declaredAt()),
        isEvent ? null : pages.instances(type),
        MemberView.of(picture.handlers(type)),
        MemberView.of(isEvent ? picture.emitters(type.name()) : List.of()),
        views(versions(type)));
  }

  private static List<VersionView> views(List<PayloadVersionRow> rows) {
    var views = new ArrayList<VersionView>();
    @Nullable PayloadVersionRow before = null;
    for (var row : rows) {
      var changes =
          before == null
              ? List.<SchemaChange>of()
              : SchemaChange.between(tree(before.schema()), tree(row.schema()));
      views.add(
          new VersionView(
              row.version(),
              json(row.schema()),
              row.bundle(),
              AdminCalls.time(row.declaredAt()),
              before == null ? "first" : verdict(changes),
              changes));
      before = row;
    }
    return views;
  }

  private static String verdict(List<SchemaChange> changes) {
    return changes.isEmpty()
        ? "same"
        : changes.stream().anyMatch(SchemaChange::breaks) ? "breaking" : "compatible";
  }

  private Examples examples(Type type) {
    var head = order.head().position();
    var schemas = new ArrayList<JsonNode>();
    versions(type).forEach(version -> schemas.add(tree(version.schema())));
    schemas.add(tree(row(type).schema()));
    var rows =
        managers.read(
            manager ->
                manager
                    .createQuery(
                        "select e from EventRow e where e.position > :from and e.type = :type"
                            + " order by e.position desc",
                        EventRow.class)
                    .setParameter("from", head - EXAMPLE_POSITIONS)
                    .setParameter("type", type.name())
                    .setMaxResults(SENDERS_AMONG)
                    .getResultList());
    var own = rows.stream().filter(row -> row.context().equals(type.context())).toList();
    return new Examples(
        own.stream()
            .limit(EXAMPLES_MAX)
            .map(
                row ->
                    new ExampleView(
                        row.position(),
                        row.stream(),
                        AdminCalls.time(row.recordedAt()),
                        masked(schemas, row.payload())))
            .toList(),
        senders(own),
        EXAMPLE_POSITIONS);
  }

  private static List<SenderView> senders(List<EventRow> rows) {
    var counts = new TreeMap<String, Long>();
    for (var row : rows) {
      var who = tree(row.meta()).path(Author.KEY).asText("");
      if (!who.isEmpty()) {
        counts.merge(who, 1L, Long::sum);
      }
    }
    return counts.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
        .map(one -> new SenderView(one.getKey(), one.getValue()))
        .toList();
  }

  /** Hides what is personal in any shape that the type has or had. */
  private static Json masked(List<JsonNode> schemas, String payload) {
    var value = tree(payload);
    for (var schema : schemas) {
      value = PersonalMask.hide(schema, value);
    }
    return new Json(value.toString());
  }

  static JsonNode tree(@Nullable String text) {
    try {
      return MAPPER.readTree(text == null ? "{}" : text);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  private static @Nullable Json json(@Nullable String text) {
    return text == null ? null : new Json(text);
  }
}
