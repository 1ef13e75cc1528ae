package io.evento.testkit;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.testing.PostgresFixture;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

@NullUnmarked
class ProjectorFixtureTest {
  record Buy(@AggregateId String shop, int pieces) {}

  record Bought(int pieces) {}

  @Aggregate(context = "shops")
  record Shop() {
    @CommandHandler
    static Bought buy(Buy command, Shop shop) {
      return new Bought(command.pieces());
    }

    @EventSourcingHandler
    static Shop bought(Bought event) {
      return new Shop();
    }
  }

  @Aggregate(context = "elsewhere")
  record Stand() {
    @CommandHandler
    static Bought buy(Buy command, Stand stand) {
      return new Bought(command.pieces());
    }

    @EventSourcingHandler
    static Stand bought(Bought event) {
      return new Stand();
    }
  }

  record Stock(String shop) {}

  record StockView(int pieces, long version, Instant since) {}

  /** Keeps what it knows in memory, by the version of each stream. */
  @Projector(name = "stock", context = "shops")
  static class InMemory {
    private final Map<String, StockView> stock = new HashMap<>();

    @EventHandler
    void on(Bought event, EventMetadata at) {
      var before = stock.get(at.aggregateId());
      if (before == null || before.version() < at.version()) {
        var pieces = (before == null ? 0 : before.pieces()) + event.pieces();
        stock.put(at.aggregateId(), new StockView(pieces, at.version(), at.time()));
      }
    }

    @QueryHandler
    StockView find(Stock query) {
      return stock.get(query.shop());
    }
  }

  /** Forgets that an event may come again. */
  @Projector(name = "careless", context = "shops")
  static class Careless {
    private int pieces;

    @EventHandler
    void on(Bought event) {
      pieces += event.pieces();
    }

    @QueryHandler
    List<Integer> find(Stock query) {
      return List.of(pieces);
    }
  }

  /** Keeps rows in its transaction, and a count beside it where the test wants that. */
  @Projector(name = "rows", context = "shops")
  static class Rows {
    private final boolean counts;
    private int counted;

    Rows(boolean counts) {
      this.counts = counts;
    }

    @EventHandler
    void on(Bought event, EventMetadata at, Connection tx) throws SQLException {
      counted += event.pieces();
      try (var insert = tx.prepareStatement("insert into bought values (?, ?)")) {
        insert.setLong(1, at.position());
        insert.setInt(2, event.pieces());
        insert.executeUpdate();
      }
    }

    @QueryHandler
    List<Long> find(Stock query, Connection connection) throws SQLException {
      try (var sum = connection.createStatement();
          var found = sum.executeQuery("select sum(pieces) from bought")) {
        found.next();
        return List.of(counts ? (long) counted : found.getLong(1));
      }
    }
  }

  private static DataSource database() throws SQLException {
    var database = new PGSimpleDataSource();
    database.setUrl(PostgresFixture.shared().empty().url());
    database.setUser("postgres");
    try (var connection = database.getConnection();
        var statement = connection.createStatement()) {
      statement.execute("create table bought (position bigint primary key, pieces int not null)");
    }
    return database;
  }

  @Test
  void events_given_are_answered_with_time_and_version() {
    ProjectorFixture.withoutDatabase(new InMemory())
        .at(Instant.parse("2026-03-01T12:00:00Z"))
        .given(Shop.class, "s-1", new Bought(3))
        .given(Shop.class, "s-1", new Bought(4))
        .thenAnswers(new Stock("s-1"), new StockView(7, 2, Instant.parse("2026-03-01T12:00:01Z")))
        .thenAnswers(new Stock("s-2"), null);
  }

  @Test
  void events_of_other_contexts_are_kept_away() {
    ProjectorFixture.withoutDatabase(new InMemory())
        .given(Stand.class, "s-1", new Bought(3))
        .thenAnswers(new Stock("s-1"), null);
  }

  @Test
  void another_answer_is_shown_beside_the_expected_one() {
    var fixture =
        ProjectorFixture.withoutDatabase(new InMemory())
            .at(Instant.parse("2026-03-01T12:00:00Z"))
            .given(Shop.class, "s-1", new Bought(3));
    assertThatThrownBy(
            () ->
                fixture.thenAnswers(
                    new Stock("s-1"), new StockView(4, 1, Instant.parse("2026-03-01T12:00:00Z"))))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("Given\n  Shop s-1: Bought {\"pieces\":3}")
        .hasMessageContaining("Asked\n  Stock {\"shop\":\"s-1\"}")
        .hasMessageContaining("Expected\n  view {\"pieces\":4,")
        .hasMessageContaining("Actual\n  view {\"pieces\":3,");
  }

  @Test
  void a_projector_that_counts_an_event_twice_is_found_out() {
    assertThatThrownBy(
            () ->
                ProjectorFixture.withoutDatabase(new Careless())
                    .given(Shop.class, "s-1", new Bought(3))
                    .thenAnswers(new Stock("s-1"), List.of(3)))
        .hasMessageContaining("view [6]")
        .hasMessageContaining("came twice");
    assertThatCode(
            () ->
                ProjectorFixture.withoutDatabase(new Careless())
                    .without(Check.REPEAT)
                    .given(Shop.class, "s-1", new Bought(3))
                    .thenAnswers(new Stock("s-1"), List.of(3)))
        .doesNotThrowAnyException();
  }

  @Test
  void rows_of_a_commit_that_was_lost_are_written_once() throws Exception {
    ProjectorFixture.of(new Rows(false), database())
        .given(Shop.class, "s-1", new Bought(3))
        .given(Stand.class, "s-1", new Bought(100))
        .given(Shop.class, "s-2", new Bought(4), new Bought(5))
        .thenAnswers(new Stock(""), List.of(12));
  }

  @Test
  void what_is_done_beside_the_transaction_is_found_out() throws Exception {
    var fixture =
        ProjectorFixture.of(new Rows(true), database()).given(Shop.class, "s-1", new Bought(3));
    assertThatThrownBy(() -> fixture.thenAnswers(new Stock(""), List.of(3)))
        .hasMessageContaining("view [6]")
        .hasMessageContaining("writes elsewhere than through its Connection");
  }

  @Test
  void two_fixtures_may_use_one_database() throws Exception {
    var database = database();
    ProjectorFixture.of(new Rows(false), database).given(Shop.class, "s-1", new Bought(3));
    try (var connection = database.getConnection();
        var statement = connection.createStatement()) {
      statement.execute("delete from bought");
    }
    ProjectorFixture.of(new Rows(false), database)
        .given(Shop.class, "s-1", new Bought(4))
        .thenAnswers(new Stock(""), List.of(4));
  }

  @Test
  void a_handler_that_fails_is_named() throws Exception {
    var database = database();
    try (var connection = database.getConnection();
        var statement = connection.createStatement()) {
      statement.execute("drop table bought");
    }
    assertThatThrownBy(
            () ->
                ProjectorFixture.of(new Rows(false), database)
                    .given(Shop.class, "s-1", new Bought(3)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("The events were not handled")
        .hasMessageContaining("Shop s-1: Bought {\"pieces\":3}")
        .hasCauseInstanceOf(SQLException.class);
  }
}
