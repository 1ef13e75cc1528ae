package io.evento.server.console.history;

import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.console.AdminCalls;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.gateway.access.Callers;
import io.evento.server.gateway.http.Headers;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import io.evento.server.security.Reading;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * How many events were stored when. Positions have no holes and times never go back, so a count is
 * the difference of two positions: exact, and without a look at the events between. So it counts
 * all of them, and is for those alone who may read all.
 */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("events/histogram")
@Produces(MediaType.APPLICATION_JSON)
public class HistogramResource {
  private static final int BARS_MAX = 200;
  private static final Duration SPAN_MIN = Duration.ofSeconds(1);

  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private OrderReader order;

  /**
   * @param after last position before it
   * @param events from {@code at} until the next bar
   */
  record BarView(String at, long after, long events) {}

  /**
   * @param from of the first event, if it was not asked for
   * @param head last position by now
   */
  record HistogramView(String from, String to, long head, List<BarView> bars) {}

  @GET
  @Needs(Access.READ)
  public CompletionStage<byte[]> read(
      @QueryParam("from") @Nullable String from,
      @QueryParam("to") @Nullable String to,
      @QueryParam("bars") @Nullable String bars) {
    Reading.checkAll(Callers.of(security), "a histogram");
    var first = time("from", from);
    var last = time("to", to);
    var count = bars == null ? 60 : (int) Headers.number("bars", bars, 1, BARS_MAX);
    return adminCalls.view(() -> histogram(first, last, count));
  }

  private HistogramView histogram(@Nullable Instant from, @Nullable Instant to, int count) {
    var end = to == null ? Instant.now() : to;
    var begin = from == null ? order.next(0).map(event -> event.instant()).orElse(end) : from;
    var span = Duration.between(begin, end);
    if (span.compareTo(SPAN_MIN) < 0) {
      begin = end.minus(SPAN_MIN);
      span = SPAN_MIN;
    }
    var times = new ArrayList<Instant>();
    for (var bar = 0; bar <= count; bar++) {
      times.add(begin.plus(span.multipliedBy(bar).dividedBy(count)));
    }
    var positions = order.lastBefore(times);
    var found = new ArrayList<BarView>();
    for (var bar = 0; bar < count; bar++) {
      var after = positions.get(bar);
      found.add(new BarView(text(times.get(bar)), after, positions.get(bar + 1) - after));
    }
    return new HistogramView(text(begin), text(end), order.head().position(), found);
  }

  private static String text(Instant time) {
    return AdminCalls.time(OffsetDateTime.ofInstant(time, ZoneOffset.UTC));
  }

  private static @Nullable Instant time(String parameter, @Nullable String given) {
    try {
      return given == null || given.isEmpty() ? null : Instant.parse(given);
    } catch (DateTimeParseException wrong) {
      throw EventoException.invalid(parameter, "must be such as 2026-01-31T10:15:30Z");
    }
  }
}
