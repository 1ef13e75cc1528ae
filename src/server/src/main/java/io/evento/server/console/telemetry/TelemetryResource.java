package io.evento.server.console.telemetry;

import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.console.AdminCalls;
import io.evento.server.gateway.access.Callers;
import io.evento.server.monitor.ClusterRates;
import io.evento.server.monitor.TelemetryViews;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import io.evento.server.security.Reading;
import io.evento.server.telemetry.Kind;
import io.evento.server.telemetry.Phase;
import io.evento.server.telemetry.TelemetryTable;
import jakarta.inject.Inject;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What the cluster does and did. Of now, the nodes tell over their links; of before, the table that
 * they write by the minute.
 */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("telemetry")
@Produces(MediaType.APPLICATION_JSON)
public class TelemetryResource {
  private static final int SECONDS_MAX = 60;
  private static final int HANDLERS_MAX = 200;

  /** Rows of a minute that one answer may be made of, about. */
  private static final int ROWS_MAX = 20_000;

  private static final Duration RANGE = Duration.ofHours(1);
  private static final Duration RANGE_OF_HANDLERS = Duration.ofMinutes(15);

  @Context private SecurityContext security;
  @Inject private ClusterRates rates;
  @Inject private TelemetryViews views;
  @Inject private AdminCalls adminCalls;

  /**
   * The rates of the last seconds.
   *
   * @param seconds how many seconds to tell one by one beside that
   */
  @GET
  @Needs(Access.MONITOR)
  public CompletionStage<byte[]> now(@QueryParam("seconds") @DefaultValue("0") int seconds) {
    if (seconds < 0 || seconds > SECONDS_MAX) {
      throw EventoException.invalid("seconds", "must be 0 to " + SECONDS_MAX);
    }
    return rates.now(seconds).thenApply(view -> Codec.text(view).getBytes(StandardCharsets.UTF_8));
  }

  /** Rates, errors and the latency of commands over time. */
  @GET
  @Needs(Access.MONITOR)
  @Path("series")
  public CompletionStage<byte[]> series(
      @QueryParam("from") @Nullable String from,
      @QueryParam("to") @Nullable String to,
      @QueryParam("step") @Nullable Integer step) {
    var span = span(from, to, step, RANGE);
    return adminCalls.view(() -> views.series(span));
  }

  /**
   * Counts, errors and times of handlers and types, in order of kind, handler and type; of all, so
   * not for a program that may read some events only.
   *
   * @param handlers only of these; none for all
   * @param type only of this; blank for all
   */
  @GET
  @Needs(Access.MONITOR)
  @Path("handlers")
  public CompletionStage<byte[]> handlers(
      @QueryParam("kind") @Nullable String kind,
      @QueryParam("handler") List<String> handlers,
      @QueryParam("type") @DefaultValue("") String type,
      @QueryParam("from") @Nullable String from,
      @QueryParam("to") @Nullable String to,
      @QueryParam("after") @Nullable String after,
      @QueryParam("limit") @DefaultValue("100") int limit) {
    checkMaySeeTypes();
    if (limit < 1 || limit > HANDLERS_MAX) {
      throw EventoException.invalid("limit", "must be 1 to " + HANDLERS_MAX);
    }
    var kinds = kind == null ? List.of(Kind.values()) : List.of(kind(kind));
    var span = span(from, to, null, RANGE_OF_HANDLERS);
    if (Duration.between(span.from(), span.to()).toMinutes() * limit > ROWS_MAX) {
      throw EventoException.invalid(
          "from", "must be at most " + ROWS_MAX / limit + " minutes before to, with this limit");
    }
    if (handlers.size() > HANDLERS_MAX) {
      throw EventoException.invalid("handler", "must be given " + HANDLERS_MAX + " times at most");
    }
    var begin = after == null ? null : TelemetryViews.key(after);
    var only = new TelemetryTable.Only(List.copyOf(handlers), type);
    return adminCalls.view(() -> views.handlers(kinds, only, span, begin, limit));
  }

  /**
   * How many took how long, over time; the same holds for it.
   *
   * @param handler with {@code type}; both absent for all of the kind together
   */
  @GET
  @Needs(Access.MONITOR)
  @Path("heat")
  public CompletionStage<byte[]> heat(
      @QueryParam("kind") @DefaultValue("command") String kind,
      @QueryParam("handler") @DefaultValue("") String handler,
      @QueryParam("type") @DefaultValue("") String type,
      @QueryParam("phase") @DefaultValue("total") String phase,
      @QueryParam("from") @Nullable String from,
      @QueryParam("to") @Nullable String to,
      @QueryParam("step") @Nullable Integer step) {
    checkMaySeeTypes();
    var ofKind = kind(kind);
    var ofPhase =
        Phase.of(phase)
            .orElseThrow(
                () ->
                    EventoException.invalid(
                        "phase", "must be one of total, queue, handler, commit"));
    var span = span(from, to, step, RANGE);
    return adminCalls.view(() -> views.heat(ofKind, handler, type, ofPhase, span));
  }

  private void checkMaySeeTypes() {
    var caller = Callers.of(security);
    if (!Access.VIEW.allows(caller)) {
      Reading.checkAll(caller, "what is told by type");
    }
  }

  private static Kind kind(String wire) {
    return Kind.of(wire)
        .orElseThrow(
            () ->
                EventoException.invalid("kind", "must be one of command, query, consumer, append"));
  }

  private static TelemetryViews.Span span(
      @Nullable String from, @Nullable String to, @Nullable Integer step, Duration range) {
    var end = to == null ? Instant.now() : instant("to", to);
    var begin = from == null ? end.minus(range) : instant("from", from);
    return TelemetryViews.Span.of(begin, end, step);
  }

  static Instant instant(String name, String text) {
    try {
      return Instant.parse(text);
    } catch (DateTimeParseException wrong) {
      throw EventoException.invalid(name, "must be a time of RFC 3339 in UTC");
    }
  }
}
