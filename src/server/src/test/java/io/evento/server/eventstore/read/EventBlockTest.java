package io.evento.server.eventstore.read;

import static io.evento.server.eventstore.read.EventBlockTable.BLOCK;
import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.RecordedEvent;
import io.evento.server.eventstore.AppendCondition;
import io.evento.server.eventstore.EventChoice;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.EventPredicate;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whoever leaps over blocks of events finds all that whoever reads every event finds: whatever rows
 * there are, and whatever somebody did to the store.
 */
class EventBlockTest {
  private static final int BLOCKS = 8;
  private static final long HEAD = BLOCKS * BLOCK + 1_500L;

  // Few events are not "Often" in "bank", each kind of them in blocks of its own.
  private static final String FILL =
      """
      insert into evento.event(position, version, decision, hash, recorded_at, command_id, ord,
                               stream_id, context, type, tags, payload)
      select p, p, 1 + (random() * 1000000000)::int, 1, now(), gen_random_uuid(), 0,
             case when p %% 9973 = 7 then 'Rare:r-' else 'Account:a-' end || p,
             case when p %% 7919 = 11 then 'audit' else 'bank' end,
             case when p %% 6007 = 5 then 'Seldom' when p %% 15013 = 3 then 'Once' else '%3$s' end,
             case when p %% 5003 = 1 then array['rare:tag', 'all'] else array['all'] end,
             '{"at":' || p || '}'
        from generate_series(%1$d, %2$d) p
      """;

  private TestDatabase where;
  private Database database;
  private OrderReader order;
  private EventBlockTable blocks;
  private EventSearch search;

  @BeforeEach
  void fill() throws SQLException {
    where = PostgresFixture.shared().migrated();
    database = new Database(NodeConfig.of(where, "reader"));
    order = new OrderReader(database);
    blocks = new EventBlockTable(database);
    search = new EventSearch(database, order, blocks);
    execute(FILL.formatted(1, HEAD, "Often"), "analyze evento.event");
  }

  @AfterEach
  void drop() {
    database.close();
    where.close();
  }

  private void execute(String... statements) throws SQLException {
    try (var admin = where.asAdmin();
        var session = admin.createStatement()) {
      for (var one : statements) {
        session.execute(one);
      }
    }
  }

  private void makeAll() {
    while (blocks.makeNext()) {}
  }

  // ---- what is made

  @Test
  void a_block_is_made_when_it_is_full_and_not_before() throws SQLException {
    makeAll();
    assertThat(blocks.upTo()).isEqualTo(BLOCKS * BLOCK);
    execute("delete from evento.event where position > " + (BLOCKS * BLOCK));
    assertThat(blocks.makeNext()).isFalse();
    execute(FILL.formatted(BLOCKS * BLOCK + 1, BLOCKS * BLOCK + BLOCK - 1, "Often"));
    assertThat(blocks.makeNext()).isFalse();
    execute(FILL.formatted(BLOCKS * BLOCK + BLOCK, BLOCKS * BLOCK + BLOCK, "Often"));
    assertThat(blocks.makeNext()).isTrue();
    assertThat(blocks.makeNext()).isFalse();
  }

  @Test
  void who_reads_leaps_over_blocks_that_have_nothing() {
    var all = looks("Seldom");
    makeAll();
    // Of what is left one block is not full, and so may have anything.
    assertThat(looks("Nothing")).isEqualTo(1);
    assertThat(looks("Often")).isGreaterThan(all);
    assertThat(blocks.leapFrom(0, ofType("Nothing"))).isEqualTo(BLOCKS * BLOCK);
    assertThat(blocks.leapBack(BLOCKS * BLOCK + 1, ofType("Nothing"))).isEqualTo(1);
    assertThat(blocks.leapBack(HEAD + 1, ofType("Nothing"))).isEqualTo(HEAD + 1);
    // "Once" stands at 3, and at 15,016.
    assertThat(blocks.leapFrom(4_000, ofType("Once"))).isEqualTo(12_000);
    assertThat(blocks.leapBack(12_001, ofType("Once"))).isEqualTo(4_001);
  }

  @Test
  void a_block_of_too_many_types_may_have_any() throws SQLException {
    execute(
        "update evento.event set type = 'T' || mod(position, 1001) where position between "
            + (BLOCK + 1)
            + " and "
            + 2 * BLOCK);
    makeAll();
    assertThat(blocks.leapFrom(0, ofType("Nothing"))).isEqualTo(BLOCK);
    assertThat(blocks.leapFrom(0, new EventFilter("nowhere", null, null, null, null)))
        .isEqualTo(BLOCKS * BLOCK);
  }

  private static EventFilter ofType(String type) {
    return new EventFilter(null, type, null, null, null);
  }

  private int looks(String type) {
    var looks = 0;
    var choice = new EventChoice(Set.of(type), Set.of(), EventPredicate.ALL);
    for (var next = next(0, choice); next.isPresent(); next = next(next.get().upTo(), choice)) {
      looks++;
    }
    return looks;
  }

  private Optional<OrderReader.Slice> next(long after, EventChoice choice) {
    return order.slice(after, Long.MAX_VALUE, 1_000, 64 << 10, choice);
  }

  // ---- nobody misses an event

  private static final List<String> NAMES = List.of("Seldom", "Once", "Often", "New", "Nothing");

  /** All ways to read, each against a walk over all rows. */
  private void everyReaderFindsAll(Random chance) throws SQLException {
    var types =
        chance.nextBoolean() ? Set.of(one(chance)) : Set.copyOf(List.of(one(chance), one(chance)));
    var context = chance.nextInt(3) == 0 ? chance.nextBoolean() ? "audit" : "bank" : null;
    var from = chance.nextInt(4) == 0 ? chance.nextInt((int) HEAD) : 0;
    var wanted =
        positions(
            "type = any('{%s}') and position > %d %s"
                .formatted(
                    String.join(",", types),
                    from,
                    context == null ? "" : "and context = '" + context + "'"));
    var choice =
        new EventChoice(types, context == null ? Set.of() : Set.of(context), EventPredicate.ALL);
    assertThat(followed(from, choice, chance))
        .as("followed %s %s", types, context)
        .isEqualTo(wanted);
    var filter =
        new EventFilter(
            context,
            List.copyOf(types),
            chance.nextInt(4) == 0 ? "Rare" : null,
            null,
            List.of(),
            List.of());
    var found =
        filter.aggregateType() == null
            ? wanted
            : positions(
                "type = any('{%s}') and position > %d and stream_id like 'Rare:%%' %s"
                    .formatted(
                        String.join(",", types),
                        from,
                        context == null ? "" : "and context = '" + context + "'"));
    assertThat(searched(from, filter)).as("searched %s", filter).isEqualTo(found);
    assertThat(searchedBack(from, filter)).as("searched back %s", filter).isEqualTo(found);
  }

  private static String one(Random chance) {
    return NAMES.get(chance.nextInt(NAMES.size()));
  }

  private List<Long> followed(long from, EventChoice choice, Random chance) {
    var found = new ArrayList<Long>();
    var at = from;
    while (true) {
      var upTo = chance.nextInt(3) == 0 ? at + 1 + chance.nextInt(20_000) : Long.MAX_VALUE;
      var slice = order.slice(at, upTo, 1 + chance.nextInt(2_000), 32 << 10, choice);
      if (slice.isEmpty()) {
        return found;
      }
      slice.get().events().forEach(event -> found.add(event.position()));
      assertThat(slice.get().upTo()).isGreaterThan(at).isLessThanOrEqualTo(upTo);
      assertThat(slice.get().command()).isEqualTo(order.commandAt(slice.get().upTo()).orElse(null));
      at = slice.get().upTo();
    }
  }

  private List<Long> searched(long from, EventFilter filter) {
    var found = new ArrayList<Long>();
    var at = from;
    while (true) {
      var page = search.after(at, 900, filter);
      page.events().forEach(event -> found.add(event.position()));
      at = page.upTo();
      if (page.end()) {
        return found;
      }
    }
  }

  private List<Long> searchedBack(long from, EventFilter filter) {
    var found = new ArrayList<Long>();
    var at = Long.MAX_VALUE;
    while (true) {
      var page = search.before(at, from, 900, filter);
      page.events().forEach(event -> found.add(0, event.position()));
      at = page.upTo();
      if (page.end()) {
        return found;
      }
    }
  }

  private List<Long> positions(String where) throws SQLException {
    try (var server = this.where.asServer();
        var session = server.createStatement();
        var rows =
            session.executeQuery(
                "select position from evento.event where " + where + " order by 1")) {
      var found = new ArrayList<Long>();
      while (rows.next()) {
        found.add(rows.getLong(1));
      }
      return found;
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void nobody_misses_an_event_whichever_rows_there_are(long seed) throws SQLException {
    var chance = new Random(seed);
    for (var round = 0; round < 4; round++) {
      for (var i = chance.nextInt(4); i > 0; i--) {
        blocks.makeNext();
      }
      if (chance.nextBoolean()) {
        makeAll();
      }
      for (var i = chance.nextInt(3); i > 0; i--) {
        execute("delete from evento.event_block where block = " + (1 + chance.nextInt(BLOCKS)));
      }
      for (var i = 0; i < 4; i++) {
        everyReaderFindsAll(chance);
      }
    }
  }

  @Test
  void nobody_misses_an_event_of_a_store_that_was_put_back_in_part() throws SQLException {
    makeAll();
    var kept = 2 * BLOCK + 1_000L;
    // As whoever takes the newest events away without the rows, and new ones come in their place.
    execute(
        "delete from evento.event where position > " + kept,
        FILL.formatted(kept + 1, 5 * BLOCK, "New"));
    everyReaderFindsAllOf("New");
    execute(FILL.formatted(5 * BLOCK + 1, HEAD, "New"));
    everyReaderFindsAllOf("New");
    makeAll();
    everyReaderFindsAllOf("New");
    assertThat(blocks.leapFrom(0, ofType("New"))).isEqualTo(2 * BLOCK);
    assertThat(blocks.leapFrom(0, ofType("Nothing"))).isEqualTo(BLOCKS * BLOCK);
  }

  private void everyReaderFindsAllOf(String type) throws SQLException {
    var wanted = positions("type = '" + type + "'");
    assertThat(wanted).isNotEmpty();
    var choice = new EventChoice(Set.of(type), Set.of(), EventPredicate.ALL);
    assertThat(followed(0, choice, new Random(1))).isEqualTo(wanted);
    assertThat(searched(0, ofType(type))).isEqualTo(wanted);
    assertThat(searchedBack(0, ofType(type))).isEqualTo(wanted);
  }

  @Test
  void nobody_misses_an_event_that_was_put_into_a_hole() throws SQLException {
    execute("delete from evento.event where position between 20001 and 20003");
    makeAll();
    execute(FILL.formatted(20_001, 20_003, "New"));
    everyReaderFindsAllOf("New");
  }

  @Test
  void nobody_misses_an_event_while_blocks_are_made_and_events_come() throws Exception {
    execute("delete from evento.event where position > 3000");
    var choice = new EventChoice(Set.of("Seldom"), Set.of(), EventPredicate.ALL);
    var writing =
        CompletableFuture.runAsync(
            () -> {
              try {
                for (var from = 3_001L; from <= HEAD; from += 300) {
                  execute(FILL.formatted(from, Math.min(HEAD, from + 299), "Often"));
                  blocks.makeNext();
                }
              } catch (SQLException failure) {
                throw new IllegalStateException(failure);
              }
            });
    var found = new ArrayList<Long>();
    var at = 0L;
    while (at < HEAD) {
      // One that went by before the end was looked at.
      assertThat(writing.isCompletedExceptionally()).isFalse();
      var slice = order.slice(at, Long.MAX_VALUE, 100, 1 << 20, choice);
      if (slice.isPresent()) {
        slice.get().events().forEach(event -> found.add(event.position()));
        at = slice.get().upTo();
      }
    }
    writing.get(60, TimeUnit.SECONDS);
    assertThat(found).isEqualTo(positions("type = 'Seldom'"));
  }

  @Test
  void events_with_rare_tags_are_found_by_these_and_none_is_missed() throws SQLException {
    var rare = new EventFilter(null, null, null, null, "rare:tag");
    var wanted = positions("tags @> '{rare:tag}'");
    assertThat(searched(0, rare)).isEqualTo(wanted);
    assertThat(search.after(0, 3, rare).events())
        .extracting(RecordedEvent::position)
        .isEqualTo(wanted.subList(0, 3));
    assertThat(search.after(0, 3, rare).end()).isFalse();
    assertThat(search.after(wanted.get(2), 100, rare).end()).isTrue();
    assertThat(searched(0, new EventFilter(null, "Seldom", null, null, "all")))
        .isEqualTo(positions("type = 'Seldom'"));
  }

  @Test
  void a_boundary_of_far_too_many_events_is_refused_without_reading_them() {
    var criteria = new CriteriaReader(database);
    assertThat(criteria.read(List.of(new AppendCondition.Alternative(null, List.of("all")))))
        .isEmpty();
    assertThat(
            criteria
                .read(List.of(new AppendCondition.Alternative(null, List.of("rare:tag"))))
                .orElseThrow()
                .events())
        .hasSize(7);
    assertThat(
            criteria
                .read(List.of(new AppendCondition.Alternative(List.of("Once"), List.of("all"))))
                .orElseThrow()
                .events())
        .hasSize(3);
  }
}
