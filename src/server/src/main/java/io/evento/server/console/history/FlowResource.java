package io.evento.server.console.history;

import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.console.AdminCalls;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.read.EventSearch;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.eventstore.read.OutcomeReader;
import io.evento.server.eventstore.read.OutcomeReader.Kept;
import io.evento.server.gateway.access.Callers;
import io.evento.server.gateway.http.Headers;
import io.evento.server.gateway.http.PageLimits;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** All that one request led to: its events, and what consumers sent and have not done upon them. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("flows/{correlation}")
@Produces(MediaType.APPLICATION_JSON)
public class FlowResource {
  /**
   * A flow whose beginning nobody knows is looked for from so many positions before a known one.
   */
  private static final long BACK = 20_000;

  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private EventSearch search;
  @Inject private OrderReader order;
  @Inject private OutcomeReader outcomes;
  @Inject private FlowEdges edges;

  /**
   * @param kind {@code rejected}, {@code nothing} (to do), {@code answer} (of a service) or {@code
   *     unknown}
   * @param said the rejection or the answer; absent where there is none
   */
  record OutcomeView(
      UUID commandId, String kind, String at, @Nullable String stream, @Nullable Json said) {
    static OutcomeView of(Kept kept) {
      var body = kept.body();
      return new OutcomeView(
          kept.commandId(),
          kept.kind().name().toLowerCase(Locale.ROOT),
          AdminCalls.time(OffsetDateTime.ofInstant(kept.at(), ZoneOffset.UTC)),
          kept.stream(),
          body == null ? null : new Json(body));
    }
  }

  /**
   * @param from position after which it was looked for
   * @param next where to go on after
   * @param end whether all was looked at up to the head
   * @param sent by whom each command of the flow was sent, if a consumer did
   * @param outcomes of commands without events
   * @param waiting commands that consumers have sent and that have no outcome yet
   * @param letters events of the flow that a consumer failed on
   * @param cut whether there may be more of these than one answer looks for
   */
  record FlowView(
      String correlationId,
      long from,
      List<RecordedEvent> events,
      long next,
      boolean end,
      long head,
      Map<UUID, FlowEdges.SentView> sent,
      List<OutcomeView> outcomes,
      List<FlowEdges.WaitingView> waiting,
      List<FlowEdges.LetterView> letters,
      boolean cut) {}

  /**
   * @param after a position, to go on from
   * @param near the position of an event that is known to belong to it
   */
  @GET
  @Needs(Access.READ)
  public CompletionStage<byte[]> flow(
      @PathParam("correlation") String correlation,
      @QueryParam("after") @Nullable String after,
      @QueryParam("near") @Nullable String near,
      @QueryParam("limit") @Nullable String limit) {
    var count = PageLimits.limit(limit);
    var given = after == null ? -1 : Headers.number("after", after, 0, Long.MAX_VALUE);
    var known = near == null ? 0 : Headers.number("near", near, 1, Long.MAX_VALUE);
    var filter = EventFilter.ALL.ofFlow(correlation).readBy(Callers.of(security));
    return adminCalls.view(
        () -> {
          var start = given >= 0 ? given : start(correlation, known);
          return view(correlation, start, count, filter);
        });
  }

  /** Where the command stands that began it; else before a known one, or the newest positions. */
  private long start(String correlation, long near) {
    var root = uuid(correlation);
    var outcome = root == null ? null : outcomes.outcome(root).orElse(null);
    if (outcome != null) {
      return Math.max(0, outcome.position().position() - 1);
    }
    return Math.max(0, (near > 0 ? near : order.head().position()) - BACK);
  }

  private FlowView view(String correlation, long from, int count, EventFilter filter) {
    if (!filter.reading().isAll()) {
      var page = search.after(from, count, filter);
      // Outcomes, what waits and letters name no context that could be held against the scopes.
      return new FlowView(
          correlation,
          from,
          page.events(),
          page.upTo(),
          page.end(),
          order.head().position(),
          Map.of(),
          List.of(),
          List.of(),
          List.of(),
          false);
    }
    // With many senders a page is smaller, so that all that they may have sent is looked for.
    var senders = edges.senders();
    var page = search.after(from, Math.min(count, FlowEdges.eventsMax(senders)), filter);
    var events = page.events();
    var commands =
        events.stream()
            .map(RecordedEvent::commandId)
            .collect(Collectors.toCollection(HashSet::new));
    var might = edges.upon(senders, events);
    var upon = might.sent();
    var silent = new HashSet<>(upon.keySet());
    var root = uuid(correlation);
    if (root != null) {
      silent.add(root);
    }
    silent.removeAll(commands);
    var kept = outcomes.kept(silent);
    // A saga that hears of a rejection may send another command upon it.
    var mightLater = edges.uponOutcomes(senders, kept.stream().map(Kept::commandId).toList());
    var further = mightLater.sent();
    further.keySet().removeAll(commands);
    upon.putAll(further);
    var keptLater = outcomes.kept(further.keySet());
    var all = new HashSet<UUID>(silent);
    all.addAll(further.keySet());
    var waiting = edges.waiting(all);
    var letters = edges.letters(events);
    return new FlowView(
        correlation,
        from,
        events,
        page.upTo(),
        page.end(),
        order.head().position(),
        sent(upon, commands, kept, keptLater),
        Stream.concat(kept.stream(), keptLater.stream()).distinct().map(OutcomeView::of).toList(),
        waiting,
        letters,
        might.isCut()
            || mightLater.isCut()
            || waiting.size() >= FlowEdges.ROWS_MAX
            || letters.size() >= FlowEdges.ROWS_MAX);
  }

  /** Of all commands that consumers might have sent, those that are there. */
  private static Map<UUID, FlowEdges.SentView> sent(
      Map<UUID, FlowEdges.SentView> might, Set<UUID> commands, List<Kept> kept, List<Kept> later) {
    var there = new HashSet<>(commands);
    kept.forEach(one -> there.add(one.commandId()));
    later.forEach(one -> there.add(one.commandId()));
    return might.entrySet().stream()
        .filter(one -> there.contains(one.getKey()))
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  private static @Nullable UUID uuid(String text) {
    try {
      return UUID.fromString(text);
    } catch (IllegalArgumentException other) {
      return null;
    }
  }
}
