package io.evento.server.console.history;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.Json;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.gateway.WholeNode;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.command.Appends;
import io.evento.server.security.Caller;
import io.evento.server.security.Right;
import io.evento.server.security.Scope;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A flow of many events among many consumers comes in pages, and says what it leaves out. */
@SuppressWarnings("NullAway.Init") // made before each test
class FlowPagesTest {
  private static final int EVENTS = 90;
  private static final Caller READER =
      new Caller(
          Caller.Kind.BUNDLE,
          "reader",
          Set.of(),
          List.of(new Scope(Right.READ, "*", "*"), new Scope(Right.SEND, "*", "*")),
          UUID.randomUUID(),
          "test");

  private final UUID flow = UUID.randomUUID();
  private TestDatabase database;
  private WholeNode node;

  @BeforeEach
  void start() {
    database = PostgresFixture.shared().migrated();
    node = WholeNode.start(database, "a", Map.of(), Map.of());
    append();
  }

  // The check does not see in class files that a nested type is nullable.
  @SuppressWarnings("NullAway")
  private void append() {
    var event = new NewEvent("Noted", List.of(), Json.EMPTY_OBJECT);
    StoreNode.await(
        node.get(Appends.class)
            .append(
                new Appends.Append(
                    READER,
                    flow,
                    Json.EMPTY_OBJECT,
                    "bank",
                    null,
                    Collections.nCopies(EVENTS, event),
                    null,
                    Deadline.in(10_000),
                    null,
                    null)));
  }

  @AfterEach
  void stop() {
    node.close();
    database.close();
  }

  private void senders(int count) throws SQLException {
    try (var admin = database.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(
          """
          insert into evento.consumer (name, version, kind, contexts, types, start, role)
          select 'saga' || i, 1, 'saga', '{}', '{}', 'beginning', 'live'
            from generate_series(1, %d) i
          """
              .formatted(count));
    }
  }

  private JsonNode page(long after) throws IOException {
    return new ObjectMapper()
        .readTree(
            StoreNode.await(
                node.askedBy(READER, new FlowResource())
                    .flow(flow.toString(), Long.toString(after), null, "1000")));
  }

  @Test
  void with_many_consumers_a_page_is_smaller_and_the_next_one_goes_on() throws Exception {
    senders(50);
    var positions = new ArrayList<Long>();
    var pages = 0;
    for (var page = page(0); ; page = page(page.path("next").asLong())) {
      page.path("events").forEach(event -> positions.add(event.path("position").asLong()));
      assertThat(page.path("cut").asBoolean()).isFalse();
      pages++;
      if (page.path("end").asBoolean()) {
        break;
      }
    }
    assertThat(positions).hasSize(EVENTS).doesNotHaveDuplicates().isSorted();
    assertThat(pages).isGreaterThan(2);
  }

  @Test
  void what_cannot_be_looked_for_at_once_is_said_to_be_left_out() throws Exception {
    senders(1_001);
    assertThat(page(0).path("events")).hasSize(1);
    assertThat(page(0).path("cut").asBoolean()).isTrue();
  }
}
