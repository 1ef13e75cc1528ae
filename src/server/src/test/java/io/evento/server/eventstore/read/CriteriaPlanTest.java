package io.evento.server.eventstore.read;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.eventstore.AppendCondition.Alternative;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Reads by tags find their events through the index of tags, also in a store of 200,000 events. */
class CriteriaPlanTest {
  private static final int EVENTS = 200_000;
  private static final String FILL =
      """
      insert into evento.event(position, version, decision, hash, recorded_at, command_id, ord,
                               stream_id, context, type, tags, payload)
      select i, 1, 7, 1, now(), gen_random_uuid(), 0, 'Fill:' || i, 'bank', 'T' || mod(i, 10),
             array['n:' || mod(i, 2000), 'all'], '{"text":"' || repeat('x', 200) || '"}'
        from generate_series(1, %d) i
      """
          .formatted(EVENTS);

  private static TestDatabase database;

  @BeforeAll
  static void fill() throws SQLException {
    database = PostgresFixture.shared().migrated();
    try (var owner = database.asOwner();
        var session = owner.createStatement()) {
      session.execute(FILL);
      session.execute("analyze evento.event");
    }
  }

  @AfterAll
  static void drop() {
    database.close();
  }

  @Test
  void a_model_and_an_old_condition_are_looked_for_by_tag() throws SQLException {
    var model = plan(CriteriaReader.TAGGED, "{n:17}", "{T7}", "{T7}", EVENTS, 10_001, 8 << 20);
    assertThat(model).contains("Bitmap Index Scan on event_tags").doesNotContain("Seq Scan");
    var condition = plan(CriteriaReader.FIRST_TAGGED, "{n:17}", "{T7}", "{T7}", 0, EVENTS);
    assertThat(condition).contains("Bitmap Index Scan on event_tags").doesNotContain("Seq Scan");
    System.out.println(model + condition);
  }

  @Test
  void an_old_condition_without_a_tag_walks_a_window_of_positions() throws SQLException {
    var walk = plan(CriteriaReader.FIRST_OF_TYPE, 100_000, 120_000, "{Never}", "{Never}");
    assertThat(walk).contains("Index Scan using event_position").doesNotContain("Seq Scan");
  }

  @Test
  void even_a_tag_of_every_event_is_looked_through_in_time() throws SQLException {
    var began = System.nanoTime();
    var plan = plan(CriteriaReader.FIRST_TAGGED, "{all}", "{Never}", "{Never}", 0, EVENTS);
    System.out.println(plan);
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
  }

  @Test
  void near_and_far_conditions_find_the_first_event_that_breaks_them() throws Exception {
    var random = new Random(17);
    var pool = new Database(NodeConfig.of(database, "criteria"));
    try {
      var reader = new CriteriaReader(pool);
      var epoch = epoch();
      for (var round = 0; round < 40; round++) {
        var after = random.nextInt(EVENTS);
        var upTo = Math.min(EVENTS, after + random.nextInt(round < 30 ? 5_001 : 20_000));
        var any = new ArrayList<Alternative>();
        for (var i = 0; i <= random.nextInt(20); i++) {
          any.add(alternative(random));
        }
        assertThat(reader.match(any, new StorePosition(epoch, after), upTo, Duration.ofSeconds(5)))
            .as("%s in %d to %d", any, after, upTo)
            .isEqualTo(first(any, after, upTo));
      }
    } finally {
      pool.close();
    }
  }

  /** All with tags: without them a far condition is answered by those with tags first. */
  private static Alternative alternative(Random random) {
    var tags =
        switch (random.nextInt(4)) {
          case 0 -> List.of("nobody");
          case 1 -> List.of("n:" + random.nextInt(2_000), "all");
          case 2 -> List.of("all");
          default -> List.of("n:" + random.nextInt(2_000));
        };
    var types =
        switch (random.nextInt(3)) {
          case 0 -> null;
          case 1 -> List.of("Never");
          default -> List.of("T" + random.nextInt(10), "T" + random.nextInt(10));
        };
    return new Alternative(types, tags);
  }

  private static OptionalLong first(List<Alternative> any, long after, long upTo) {
    return LongStream.rangeClosed(after + 1, upTo)
        .filter(
            i ->
                any.stream()
                    .anyMatch(
                        one ->
                            List.of("n:" + i % 2_000, "all").containsAll(one.tags())
                                && (one.types() == null || one.types().contains("T" + i % 10))))
        .findFirst();
  }

  private static UUID epoch() throws SQLException {
    try (var owner = database.asOwner();
        var session = owner.createStatement()) {
      session.execute(
          """
          insert into evento.store_epoch(ordinal, starts_after, system_identifier, timeline, at)
            select 1, 0, 1, '00000001', now()
             where not exists (select 1 from evento.store_epoch)
          """);
      try (var row = session.executeQuery("select id from evento.store_epoch")) {
        row.next();
        return row.getObject(1, UUID.class);
      }
    }
  }

  private static String plan(String statement, Object... values) throws SQLException {
    try (var server = database.asServer()) {
      server.setAutoCommit(false);
      try (var settings = server.createStatement()) {
        settings.execute(CriteriaReader.SETTINGS);
      }
      return explain(server, statement, values);
    }
  }

  private static String explain(Connection server, String statement, Object... values)
      throws SQLException {
    var text = new StringBuilder();
    try (var explain = server.prepareStatement("explain (analyze, buffers) " + statement)) {
      for (var i = 0; i < values.length; i++) {
        explain.setObject(i + 1, values[i]);
      }
      try (var rows = explain.executeQuery()) {
        while (rows.next()) {
          text.append(rows.getString(1)).append('\n');
        }
      }
    }
    return text.toString();
  }
}
