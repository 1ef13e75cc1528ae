package io.evento.server.eventstore.read;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.eventstore.AppendCondition.Alternative;
import io.evento.server.eventstore.EventChoice;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.EventPredicate;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What it costs to find few events among a million, before and after blocks tell where they are.
 */
@Tag("soak")
class EventBlockSpeedTest {
  private static final int EVENTS = 1_000_000;

  private static final String FILL =
      """
      insert into evento.event(position, version, decision, hash, recorded_at, command_id, ord,
                               stream_id, context, type, tags, payload)
      select p, p / 20000 + 1, 7, 1, now(), md5(p::text)::uuid, 0, 'Account:a-' || p %% 20000,
             'bank', case when p %% 200000 = 77777 then 'Rare' else 'T' || p %% 20 end,
             case when p %% 200000 = 77777 then array['rare'] when p %% 10 = 0 then array['broad']
                  else '{}' end,
             '{"amount":' || p || ',"note":"' || repeat(md5(p::text), 5) || '"}'
        from generate_series(1, %d) p
      """
          .formatted(EVENTS);

  @Test
  void few_events_among_a_million_cost_their_number() throws SQLException {
    try (var where = PostgresFixture.shared().migrated()) {
      fill(where);
      var database = new Database(NodeConfig.of(where, "reader"));
      var order = new OrderReader(database);
      var blocks = new EventBlockTable(database);
      var search = new EventSearch(database, order, blocks);
      var all = EventChoice.of((stream, type, context) -> type.equals("Rare"));
      var rare = new EventChoice(Set.of("Rare"), Set.of(), EventPredicate.ALL);
      var filter = new EventFilter(null, "Rare", null, null, null);
      time("followed, all read", () -> follow(order, all));
      time("followed, types asked for", () -> follow(order, rare));
      time("searched back by a type, no blocks", () -> searchBack(search, filter));
      time("blocks made", () -> make(blocks));
      time("followed, blocks", () -> follow(order, rare));
      time("searched back by a type, blocks", () -> searchBack(search, filter));
      time(
          "followed, types that nearly all have",
          () ->
              follow(
                  order, new EventChoice(Set.of("T1", "T2", "T3"), Set.of(), EventPredicate.ALL)));
      time("followed, everything", () -> follow(order, EventChoice.ALL));
      time(
          "searched by a rare tag",
          () ->
              search
                  .after(0, 100, new EventFilter(null, null, null, null, "rare"))
                  .events()
                  .size());
      time(
          "boundary of a broad tag refused",
          () ->
              new CriteriaReader(database)
                  .read(List.of(new Alternative(null, List.of("broad"))))
                  .map(model -> 1L)
                  .orElse(0L));
      database.close();
    }
  }

  private static void fill(TestDatabase where) throws SQLException {
    try (var admin = where.asAdmin();
        var session = admin.createStatement()) {
      session.execute(FILL);
      session.execute("vacuum (analyze) evento.event");
    }
  }

  private static void time(String what, LongSupplier work) {
    for (var round = 0; round < 2; round++) {
      var before = System.nanoTime();
      var found = work.getAsLong();
      var millis = (System.nanoTime() - before) / 1e6;
      System.getLogger(EventBlockSpeedTest.class.getName())
          .log(Level.INFO, () -> "%s: %.1f ms, %d".formatted(what, millis, found));
    }
  }

  private static long follow(OrderReader order, EventChoice choice) {
    var found = 0L;
    var looks = 0;
    var at = 0L;
    while (true) {
      var slice = order.slice(at, Long.MAX_VALUE, 1_000, 512 << 10, choice);
      if (slice.isEmpty()) {
        assertThat(looks).isPositive();
        return found;
      }
      looks++;
      found += slice.get().events().size();
      at = slice.get().upTo();
    }
  }

  private static long searchBack(EventSearch search, EventFilter filter) {
    var found = 0L;
    for (var page = search.before(Long.MAX_VALUE, 0, 100, filter);
        ;
        page = search.before(page.upTo(), 0, 100, filter)) {
      found += page.events().size();
      if (page.end()) {
        return found;
      }
    }
  }

  private static long make(EventBlockTable blocks) {
    while (blocks.makeNext()) {}
    return blocks.upTo();
  }
}
