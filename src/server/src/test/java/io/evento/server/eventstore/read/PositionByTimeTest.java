package io.evento.server.eventstore.read;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A time is found among positions whose times never go back. */
class PositionByTimeTest {
  private static final Instant START = Instant.parse("2026-01-31T10:00:00Z");

  /** Of each second of {@link #SECONDS} there are three events, but of the tenth there is none. */
  private static final int SECONDS = 100;

  private static final String FILL =
      """
      insert into evento.event(position, version, decision, hash, recorded_at, command_id, ord,
                               stream_id, context, type, tags, payload)
      select row_number() over (order by s, e), row_number() over (order by s, e), 7, 1,
             timestamptz '%s' + s * interval '1 second', gen_random_uuid(), 0, 'Account:1', 'bank',
             'T', '{}', '{}'
        from generate_series(0, %d) s, generate_series(1, 3) e where s <> 10
      """
          .formatted(START, SECONDS - 1);

  private static TestDatabase database;
  private static Database pool;
  private static OrderReader reader;

  @BeforeAll
  static void fill() throws SQLException {
    database = PostgresFixture.shared().migrated();
    try (var owner = database.asOwner();
        var session = owner.createStatement()) {
      session.execute(FILL);
    }
    pool = new Database(NodeConfig.of(database, "reader"));
    reader = new OrderReader(pool);
  }

  @AfterAll
  static void drop() {
    pool.close();
    database.close();
  }

  private static long eventsBefore(int second) {
    return 3L * (second > 10 ? second - 1 : second);
  }

  @Test
  void each_time_has_the_last_position_that_was_recorded_before_it() {
    var seconds = IntStream.rangeClosed(0, SECONDS).boxed().toList();
    assertThat(
            reader.lastBefore(seconds.stream().map(second -> START.plusSeconds(second)).toList()))
        .isEqualTo(seconds.stream().map(PositionByTimeTest::eventsBefore).toList());
  }

  @Test
  void times_outside_of_the_store_have_its_ends_and_may_come_twice_and_in_any_order() {
    var late = START.plusSeconds(10_000);
    var between = START.plusSeconds(5).plusMillis(1);
    assertThat(reader.lastBefore(List.of(late, Instant.EPOCH, between, late, START)))
        .containsExactly(297L, 0L, 18L, 297L, 0L);
    assertThat(reader.lastBefore(List.of())).isEmpty();
    assertThat(reader.lastBefore(between)).isEqualTo(18L);
  }
}
