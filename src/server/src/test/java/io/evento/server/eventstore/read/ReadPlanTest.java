package io.evento.server.eventstore.read;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * Every read finds its rows through an index in a store of 200,000 events, and looks at few pages:
 * with a plan for any values, as PostgreSQL keeps it for a statement that comes often, and with one
 * for the values at hand.
 */
class ReadPlanTest {
  private static final int EVENTS = 200_000;
  private static final int STREAMS = 10_000;
  private static final int OF_LONG_STREAM = 20_000;
  private static final long HEAD = EVENTS + OF_LONG_STREAM;
  private static final int BYTES = 8 << 20;

  // A command has two events; a stream has twenty, each in another part of the store. One is long.
  private static final List<String> FILL =
      List.of(
          """
          create function pg_temp.id(kind int, number int) returns uuid language sql immutable
          return (lpad(to_hex(kind), 16, '0') || lpad(to_hex(number), 16, '0'))::uuid
          """,
          """
          insert into evento.event(position, version, decision, hash, recorded_at, command_id, ord,
                                   stream_id, context, type, tags, payload)
          select i, (i - 1) / %2$d + 1, 7, case when mod(i, 2) = 1 then 1 end, now(),
                 pg_temp.id(1, (i - 1) / 2), mod(i - 1, 2),
                 'Account:' || mod(i - 1, %2$d), 'bank', 'T' || mod(i, 10),
                 array['n:' || mod(i, 2000), 'all'], '{"text":"' || repeat('x', 200) || '"}'
            from generate_series(1, %1$d) i
          """
              .formatted(EVENTS, STREAMS),
          """
          insert into evento.event(position, version, decision, hash, recorded_at, command_id, ord,
                                   stream_id, context, type, tags, payload)
          select %1$d + i, i, 7, 1, now(), pg_temp.id(3, i), 0, 'Account:long', 'bank',
                 'T' || mod(i, 10), '{}', '{"text":"' || repeat('x', 200) || '"}'
            from generate_series(1, %2$d) i
          """
              .formatted(EVENTS, OF_LONG_STREAM),
          """
          insert into evento.command_result(command_id, hash, position_seen, recorded_at, kind)
          select pg_temp.id(2, i), 1, i, now(), 1 from generate_series(1, 20000) i
          """,
          """
          insert into evento.snapshot(stream_id, version, decision, schema, state, at)
          select 'Account:' || i, 10, 7, 'v1', '{}', now() from generate_series(0, 4999) i
          """,
          "select evento.event_blocks_next_1(20) from generate_series(1, 3)",
          "analyze evento.event, evento.command_result, evento.snapshot, evento.event_block");

  private static final String STREAM = "Account:4321";
  private static final String LONG_STREAM = "Account:long";

  private static TestDatabase database;

  @BeforeAll
  static void fill() throws SQLException {
    database = PostgresFixture.shared().migrated();
    try (var owner = database.asOwner();
        var session = owner.createStatement()) {
      for (var statement : FILL) {
        session.execute(statement);
      }
    }
  }

  @AfterAll
  static void drop() {
    database.close();
  }

  @Nested
  class The_total_order {
    @Test
    void is_followed_by_position() throws SQLException {
      plans(OrderReader.AFTER, BYTES, 100_000L, 1_000, 100_000L, 1_000)
          .walk(150, "Index Scan using event_position");
      plans(OrderReader.AFTER, BYTES, HEAD - 1, 1_000, HEAD - 1, 1_000)
          .walk(100, "Index Scan using event_position");
    }

    @Test
    void is_followed_for_some_types_from_the_first_block_that_may_have_them() throws SQLException {
      plans(OrderReader.NEXT_OF_KIND, next("{Never}"))
          .walk(1_500, "Index Scan using event_position");
      plans(OrderReader.NEXT_OF_KIND, next("{T7}")).walk(1_500, "Index Scan using event_position");
      plans(
              OrderReader.OF_KIND_UP_TO,
              100_000L,
              110_000L,
              "{T7}",
              "{T7}",
              "{bank}",
              "{bank}",
              1_000)
          .walk(700, "Index Scan using event_position");
    }

    private static Object[] next(String types) {
      return new Object[] {
        Long.MAX_VALUE,
        100_000L,
        26L,
        types,
        "{bank}",
        Long.MAX_VALUE,
        types,
        types,
        "{bank}",
        "{bank}",
        1_000,
        BYTES
      };
    }

    @Test
    void tells_its_head_without_a_look_at_the_rest() throws SQLException {
      plans(OrderReader.HEAD).walk(20, "Index Only Scan Backward using event_position");
    }

    @Test
    void tells_of_one_position_what_is_asked() throws SQLException {
      plans(OrderReader.COMMAND_AT, 77_777L).walk(20, "Index Scan using event_position");
    }

    @Test
    void tells_when_each_of_some_positions_was_recorded() throws SQLException {
      plans(OrderReader.RECORDED_AT, (Object) new Long[] {17L, 7_777L, 77_777L, 99_999L})
          .walk(40, "Index Scan using event_position");
    }
  }

  @Nested
  class A_stream {
    @Test
    void is_read_by_its_own_index() throws SQLException {
      plans(StreamReader.FORWARD.sql(), STREAM, 5L, 101, BYTES).use(60, "event_stream");
      plans(StreamReader.BACKWARD.sql(), STREAM, Long.MAX_VALUE, 101, BYTES)
          .use(60, "event_stream");
      plans(StreamReader.HISTORY.sql(), 5L, STREAM, 5L, 502, BYTES).use(60, "event_stream");
      plans(StreamReader.TIP, STREAM).walk(20, "Index Scan Backward using event_stream");
    }

    @Test
    void is_read_as_far_as_asked_however_long_it_is() throws SQLException {
      plans(StreamReader.FORWARD.sql(), LONG_STREAM, 5_000L, 101, BYTES)
          .walk(60, "Index Scan using event_stream");
      plans(StreamReader.BACKWARD.sql(), LONG_STREAM, Long.MAX_VALUE, 101, BYTES)
          .walk(60, "Index Scan Backward using event_stream");
      plans(StreamReader.HISTORY.sql(), 5_000L, LONG_STREAM, 5_000L, 502, BYTES)
          .walk(60, "Index Scan using event_stream");
      plans(StreamReader.TIP, LONG_STREAM).walk(20, "Index Scan Backward using event_stream");
    }

    @Test
    void is_found_by_the_beginning_of_its_name_however_long_it_is() throws SQLException {
      plans(StreamReader.BEGINNING, "{Account:43,Nothing:43}", 5, 8)
          .use(80, "Index Only Scan using event_stream");
      plans(StreamReader.BEGINNING, "{Account:l}", 5, 8)
          .use(150, "Index Only Scan using event_stream");
    }

    @Test
    void is_told_once_and_in_order_with_others_that_begin_so() {
      var reader = new StreamReader(new Database(NodeConfig.of(database, "reader")));
      assertThat(reader.beginning(List.of("Account:long", "Account:432"), 5, 8))
          .containsExactly(
              "Account:long",
              "Account:432",
              "Account:4320",
              "Account:4321",
              "Account:4322",
              "Account:4323");
      assertThat(reader.beginning(List.of("Account:432"), 5, 2)).hasSize(2);
      assertThat(reader.beginning(List.of("Account:99999", "account:432"), 5, 8)).isEmpty();
    }

    @Test
    void has_its_snapshot_looked_up_and_its_tip_checked() throws SQLException {
      plans(SnapshotTable.LOAD, STREAM, "v1").walk(20, "Index Scan using event_stream");
      plans(SnapshotTable.STORE, "v1", "{}", STREAM, 12L, 7L)
          .walk(40, "Index Scan using event_stream");
    }
  }

  @Nested
  class A_search {
    @Test
    void walks_a_window_of_positions() throws SQLException {
      plans(EventSearch.FILTERED.sql(), window("{Never}", null))
          .walk(1_500, "Index Scan using event_position");
      plans(EventSearch.FILTERED.sql(), window("{T7}", null))
          .walk(1_500, "Index Scan using event_position");
    }

    @Test
    void backwards_walks_a_window_too() throws SQLException {
      plans(EventSearch.FILTERED_BACK.sql(), window("{Never}", null))
          .walk(1_500, "Index Scan Backward using event_position");
    }

    @Test
    void for_a_rare_tag_looks_at_the_events_that_have_it() throws SQLException {
      plans(
              EventSearch.TAGGED.sql(),
              "{n:77}",
              null,
              null,
              "bank",
              "bank",
              null,
              null,
              "{n:77}",
              "{n:77}",
              null,
              "{}",
              "{}",
              null,
              null,
              null,
              50_000L,
              HEAD,
              101,
              BYTES)
          .use(700, "Bitmap Index Scan on event_tags", "event_position");
    }

    @Test
    void leaps_over_blocks_in_their_order() throws SQLException {
      plans(EventBlockTable.FROM, 1L, "{Never}", null, null).use(1_000, "Result");
      plans(EventBlockTable.BACK, 50L, "{Never}", "{bank}", "{Account}").use(1_000, "Result");
    }

    @Test
    void for_a_flow_walks_a_window_too() throws SQLException {
      plans(EventSearch.FILTERED.sql(), window("{T7}", null, "nobody"))
          .walk(1_500, "Index Scan using event_position");
    }

    @Test
    void backwards_of_one_stream_reads_that_stream() throws SQLException {
      plans(EventSearch.OF_STREAM_BACK.sql(), of(STREAM, 50_000)).use(60, "event_stream");
    }

    @Test
    void looks_at_no_more_of_the_store_where_a_tag_is_named() throws SQLException {
      plans(EventSearch.FILTERED.sql(), window("{T7}", "{all}")).walk(1_500, "event_position");
    }

    @Test
    void of_one_stream_reads_that_stream() throws SQLException {
      plans(EventSearch.OF_STREAM.sql(), of(STREAM, 50_000)).use(60, "event_stream");
    }

    @Test
    void of_a_long_stream_reads_that_stream_or_what_follows_the_position() throws SQLException {
      plans(EventSearch.OF_STREAM.sql(), of(LONG_STREAM, HEAD - 5_000))
          .use(1_500, "Index Scan using event_");
    }

    private static Object[] of(String stream, long after) {
      return new Object[] {
        stream,
        after,
        Long.MAX_VALUE,
        null,
        null,
        "{T2}",
        "{T2}",
        null,
        null,
        null,
        "{}",
        "{}",
        null,
        null,
        null,
        101,
        BYTES
      };
    }

    private static Object[] window(String types, @Nullable String tags) {
      return window(types, tags, null);
    }

    private static Object[] window(String types, @Nullable String tags, @Nullable String flow) {
      return new Object[] {
        100_000L,
        120_000L,
        "Account:",
        "Account:",
        "bank",
        "bank",
        types,
        types,
        tags,
        tags,
        null,
        "{}",
        "{}",
        flow,
        flow,
        flow,
        101,
        BYTES
      };
    }
  }

  @Nested
  class A_command {
    private final UUID withEvents = new UUID(1, 4321);
    private final UUID withoutEvents = new UUID(2, 17);

    @Test
    void has_its_outcome_looked_for_among_events_and_kept_outcomes() throws SQLException {
      plans(OutcomeReader.OUTCOME, withEvents, withEvents)
          .walk(20, "Index Scan using event_command", "Index Scan using command_result_id");
    }

    @Test
    void is_found_to_have_an_outcome_together_with_others() throws SQLException {
      var ids = new UUID[] {withEvents, withoutEvents, UUID.randomUUID()};
      plans(OutcomeReader.WITH_OUTCOME, ids, ids)
          .walk(40, "using event_command", "using command_result_id");
    }

    @Test
    void without_events_has_its_outcome_read_together_with_others() throws SQLException {
      var ids = new UUID[] {withoutEvents, UUID.randomUUID()};
      plans(OutcomeReader.KEPT, (Object) ids).walk(20, "using command_result_id");
    }

    @Test
    void has_its_events_read_side_by_side() throws SQLException {
      plans(OutcomeReader.OF_COMMAND, 8_643L, 8_651L, withEvents)
          .walk(20, "Index Scan using event_position");
      plans(OutcomeReader.OF_COMMAND, 8_651L, 9_643L, withEvents)
          .walk(150, "Index Scan using event_position");
    }

    @Test
    void has_its_events_counted_by_their_positions() throws SQLException {
      Object positions = new Long[] {8_643L, 8_644L, 150_000L};
      plans(OutcomeReader.ORDINALS, positions).walk(40, "using event_position");
    }
  }

  /** Both plans of a statement, as PostgreSQL ran it. */
  private record Plans(List<String> texts) {
    // The epochs, of which there are few, may be sorted.
    private static final Pattern SORT_OF_EVENTS = Pattern.compile("Sort Key: (?!\\S*ordinal)");
    private static final Pattern PAGES = Pattern.compile("shared hit=(\\d+)(?: read=(\\d+))?");

    /**
     * Reads rows through indexes, in the order in which they stand there.
     *
     * @param pagesMax that the statement looks at in all
     * @param indexes that the plan names, and how they are walked
     */
    void walk(int pagesMax, String... indexes) {
      use(pagesMax, indexes);
      assertThat(texts).allSatisfy(text -> assertThat(text).doesNotContainPattern(SORT_OF_EVENTS));
    }

    /** Reads rows through indexes; they may be sorted afterwards. */
    void use(int pagesMax, String... indexes) {
      assertThat(texts)
          .allSatisfy(
              text -> {
                assertThat(text)
                    .contains(indexes)
                    .doesNotContain("Seq Scan on event", "Seq Scan on command_result");
                assertThat(pages(text)).as(text).isLessThanOrEqualTo(pagesMax);
              });
    }

    /** The first line about buffers counts those of all nodes. */
    private static int pages(String text) {
      var buffers = PAGES.matcher(text);
      assertThat(buffers.find()).as(text).isTrue();
      var read = buffers.group(2);
      return Integer.parseInt(buffers.group(1)) + (read == null ? 0 : Integer.parseInt(read));
    }
  }

  /**
   * @param values of the parameters: as the driver sends them, a text as {@code varchar}
   */
  private static Plans plans(String statement, @Nullable Object... values) throws SQLException {
    var types = Arrays.stream(values).map(ReadPlanTest::type).collect(joining(", ", "(", ")"));
    var literals =
        Arrays.stream(values).map(ReadPlanTest::literal).collect(joining(", ", "(", ")"));
    var texts = new ArrayList<String>();
    try (var server = database.asServer();
        var session = server.createStatement()) {
      server.setAutoCommit(false); // and never committed
      session.execute(
          "prepare asked" + (values.length == 0 ? "" : types) + " as " + numbered(statement));
      for (var mode : List.of("force_generic_plan", "force_custom_plan")) {
        session.execute("set local plan_cache_mode = " + mode);
        texts.add(
            lines(
                session,
                "explain (analyze, buffers) execute asked" + (values.length == 0 ? "" : literals)));
      }
    }
    return new Plans(texts);
  }

  private static String numbered(String statement) {
    var parameter = new AtomicInteger();
    return Pattern.compile("\\?")
        .matcher(statement)
        .replaceAll(found -> "\\$" + parameter.incrementAndGet());
  }

  private static String type(@Nullable Object value) {
    if (value instanceof Long) {
      return "bigint";
    }
    if (value instanceof Integer) {
      return "int";
    }
    if (value instanceof UUID) {
      return "uuid";
    }
    if (value instanceof Long[]) {
      return "bigint[]";
    }
    return value instanceof UUID[] ? "uuid[]" : "varchar";
  }

  private static String literal(@Nullable Object value) {
    if (value == null) {
      return "null";
    }
    if (value instanceof Object[] array) {
      return "'{" + Arrays.stream(array).map(String::valueOf).collect(joining(",")) + "}'";
    }
    return "'" + value + "'";
  }

  private static String lines(Statement session, String explain) throws SQLException {
    var text = new StringBuilder();
    try (var rows = session.executeQuery(explain)) {
      while (rows.next()) {
        text.append(rows.getString(1)).append('\n');
      }
    }
    return text.toString();
  }
}
