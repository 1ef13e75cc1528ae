package io.evento.server.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Tip;
import io.evento.server.console.history.HistogramResource;
import io.evento.server.console.history.StateResource;
import io.evento.server.console.telemetry.TelemetryResource;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.append.Appender;
import io.evento.server.gateway.WholeNode;
import io.evento.server.gateway.http.MetricsResource;
import io.evento.server.routing.Failures;
import io.evento.server.security.Caller;
import io.evento.server.security.Right;
import io.evento.server.security.Role;
import io.evento.server.security.Scope;
import io.evento.server.telemetry.TelemetryWriter;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;

/** Who may read some events is not told how many others there are. */
@TestInstance(Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init") // made before all tests
class NarrowReadersTest {
  private static final Caller NARROW =
      program(new Scope(Right.READ, "bank", "*"), new Scope(Right.READ, "shop", "Order*"));
  private static final Caller WIDE = program(new Scope(Right.READ, "*", "*"));
  private static final Caller VIEWER =
      new Caller(
          Caller.Kind.USER, "vera", Set.of(Role.VIEWER), List.of(), UUID.randomUUID(), "test");

  private TestDatabase database;
  private WholeNode node;

  private static Caller program(Scope... scopes) {
    return new Caller(
        Caller.Kind.BUNDLE, "reader", Set.of(), List.of(scopes), UUID.randomUUID(), "test");
  }

  @BeforeAll
  void start() {
    database = PostgresFixture.shared().migrated();
    node = WholeNode.start(database, "a", Map.of(), Map.of());
  }

  @AfterAll
  void stop() {
    node.close();
    database.close();
  }

  private static void refused(Supplier<CompletionStage<byte[]>> asked) {
    try {
      throw new AssertionError("was told: " + new String(StoreNode.await(asked.get())));
    } catch (RuntimeException failure) {
      assertThat(Failures.cause(failure)).isInstanceOf(EventoException.class);
      var told = (EventoException) Failures.cause(failure);
      assertThat(told.code()).isEqualTo(ErrorCode.FORBIDDEN);
      assertThat(told.detail()).contains("may read some events only");
    }
  }

  @Test
  void a_histogram_of_all_events_is_for_who_may_read_all() {
    refused(() -> node.askedBy(NARROW, new HistogramResource()).read(null, null, null));
    assertThat(StoreNode.await(node.askedBy(WIDE, new HistogramResource()).read(null, null, null)))
        .isNotEmpty();
  }

  @Test
  void so_are_states_which_may_be_of_several_contexts() {
    refused(() -> node.askedBy(NARROW, new StateResource()).rejections("Account", "a-1"));
  }

  @Test
  void so_is_what_is_told_by_handler_and_type() {
    refused(
        () ->
            node.askedBy(NARROW, new TelemetryResource())
                .handlers(null, List.of(), "", null, null, null, 10));
    refused(
        () ->
            node.askedBy(NARROW, new TelemetryResource())
                .heat("append", "", "Secret", "total", null, null, null));
    for (var told : List.of(WIDE, VIEWER)) {
      assertThat(
              StoreNode.await(
                  node.askedBy(told, new TelemetryResource())
                      .handlers(null, List.of(), "", null, null, null, 10)))
          .isNotEmpty();
    }
  }

  @Test
  void nobody_finds_streams_and_flows_but_who_may_read_all() {
    var id = UUID.randomUUID();
    StoreNode.await(
        node.get(Appender.class)
            .append(AppendRequests.on("Account:a-1", Tip.EMPTY).id(id).event("Opened").events()));
    for (var text : List.of("Account:a", id.toString())) {
      assertThat(node.get(Finder.class).find(text, NARROW)).isEmpty();
      assertThat(node.get(Finder.class).find(text, WIDE)).hasSize(1);
    }
    assertThat(node.get(Finder.class).find("1", NARROW)).as("it is in the bank").hasSize(1);
  }

  @Test
  void metrics_name_nothing_to_it() {
    node.get(TelemetryWriter.class);
    assertThat(node.askedBy(NARROW, new MetricsResource()).scrape())
        .contains("evento_sessions")
        .contains("evento_append_call_seconds_bucket{le=")
        .doesNotContain("evento_handled")
        .doesNotContainPattern("\\{(?!le=)");
    assertThat(node.askedBy(WIDE, new MetricsResource()).scrape()).contains("evento_handled");
    assertThat(node.askedBy(VIEWER, new MetricsResource()).scrape()).contains("evento_handled");
  }
}
