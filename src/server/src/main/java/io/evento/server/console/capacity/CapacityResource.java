package io.evento.server.console.capacity;

import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.console.AdminCalls;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Flows as they were measured, and what would become of them. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("capacity")
@Produces(MediaType.APPLICATION_JSON)
public class CapacityResource {
  private static final Duration RANGE = Duration.ofMinutes(10);
  private static final Duration RANGE_MAX = Duration.ofDays(7);

  @Inject private AdminCalls adminCalls;
  @Inject private CapacityReader reader;

  /**
   * What comes in, what it leads to and how long that takes; and the same at other rates.
   *
   * @param all factor of all that comes in
   * @param rate of one entry: {@code command/Deposit:x2} or {@code command/Deposit:400}
   * @param instances of a bundle: {@code bank:3}
   * @param cores of each machine
   * @param target milliseconds that 99 of 100 answers may take
   */
  @GET
  @Needs(Access.MONITOR)
  public CompletionStage<byte[]> capacity(
      @QueryParam("from") @Nullable String from,
      @QueryParam("to") @Nullable String to,
      @QueryParam("all") @DefaultValue("1") double all,
      @QueryParam("rate") List<String> rate,
      @QueryParam("instances") List<String> instances,
      @QueryParam("cores") @Nullable Integer cores,
      @QueryParam("target") @Nullable Double target) {
    var end = to == null ? Instant.now() : instant("to", to);
    var begin = from == null ? end.minus(RANGE) : instant("from", from);
    if (!begin.isBefore(end)) {
      throw EventoException.invalid("from", "must be before to");
    }
    if (Duration.between(begin, end).compareTo(RANGE_MAX) > 0) {
      throw EventoException.invalid("from", "must be at most 7 days before to");
    }
    var whatIf = WhatIf.of(all, rate, instances, cores, target);
    return adminCalls.view(
        () -> new CapacityViews(reader.read(begin, end), whatIf).view(begin, end));
  }

  private static Instant instant(String name, String text) {
    try {
      return Instant.parse(text);
    } catch (DateTimeParseException wrong) {
      throw EventoException.invalid(name, "must be a time of RFC 3339 in UTC");
    }
  }
}
