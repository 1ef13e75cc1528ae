package io.evento.bundle.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.api.QueryUpdates;
import io.evento.bundle.dispatch.Components;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.Json;
import io.evento.protocol.LiveMessage.Update;
import io.evento.protocol.Message;
import io.evento.protocol.QueryMessage.Query;
import io.evento.protocol.RecordedEvent;
import io.evento.testing.PostgresFixture;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** Updates are told once their event took effect, to those whose query is concerned. */
class UpdatesTest {
  private static final UUID EPOCH = UUID.randomUUID();

  record Paid(long amount) {}

  record Balance(String account) {}

  @Projector(name = "paid")
  static final class Payments {
    private boolean fails;

    @EventHandler
    void on(Paid event, Connection tx, QueryUpdates updates, EventMetadata at) {
      updates.emit(
          Balance.class, query -> query.account().equals(at.aggregateId()), event.amount());
      updates.emit(Balance.class, "all");
      if (fails) {
        throw new IllegalStateException("fails after it has emitted");
      }
    }

    @QueryHandler
    long balance(Balance query) {
      return 0;
    }
  }

  private final Payments payments = new Payments();
  private final PayloadMapper mapper = new PayloadMapper();
  private final WatchedQueries watchedQueries = new WatchedQueries();
  private final BufferedUpdates bufferedUpdates = new BufferedUpdates(mapper, watchedQueries);
  private final List<Message> told = new ArrayList<>();
  private final Enable segment = segment(3);
  private final EventHandlingWithUpdates effects =
      new EventHandlingWithUpdates(transactional(), bufferedUpdates);
  private final UUID ofA = watch("a");
  private final UUID ofB = watch("b");

  private static Enable segment(long fence) {
    return new Enable("paid:1", 0, 0, 127, fence, EPOCH, 0);
  }

  private EventHandling transactional() {
    var projector = Components.of(List.of(payments), mapper, true).projectors().get("paid:1");
    return new TransactionalEventHandling(
        new EventCaller(java.util.Objects.requireNonNull(projector), mapper, bufferedUpdates),
        Database.of(database()));
  }

  private static PGSimpleDataSource database() {
    var source = new PGSimpleDataSource();
    source.setUrl(PostgresFixture.shared().empty().url());
    source.setUser("postgres");
    return source;
  }

  private UUID watch(String account) {
    var id = UUID.randomUUID();
    watchedQueries.add(
        new Query(id, "Balance", 1_000, null, new Json("{\"account\":\"" + account + "\"}")), this);
    return id;
  }

  private void enable() throws SQLException {
    bufferedUpdates.enabled(new Lease(segment, told::add, this));
    effects.claim(segment);
  }

  private static RecordedEvent paid(long position, String account) {
    return new RecordedEvent(
        position,
        new RecordedEvent.Stream("Account", account),
        1,
        "Paid",
        "default",
        "2026-01-31T10:15:30.123456Z",
        UUID.randomUUID(),
        "flow",
        null,
        Json.EMPTY_OBJECT,
        new Json("{\"amount\":5}"));
  }

  @Test
  void each_query_hears_what_concerns_it_with_position_and_ordinal() throws Exception {
    enable();
    effects.apply(segment, EPOCH, 0, 2, List.of(paid(1, "a"), paid(2, "c")));
    assertThat(told)
        .usingRecursiveFieldByFieldElementComparatorIgnoringFields("ids")
        .containsExactly(
            new Update(List.of(), "paid:1", 0, 3, EPOCH, 1, 0, new Json("5")),
            new Update(List.of(), "paid:1", 0, 3, EPOCH, 1, 1, new Json("\"all\"")),
            new Update(List.of(), "paid:1", 0, 3, EPOCH, 2, 1, new Json("\"all\"")));
    assertThat(((Update) told.get(0)).ids()).containsExactly(ofA);
    assertThat(((Update) told.get(1)).ids()).containsExactlyInAnyOrder(ofA, ofB);
  }

  @Test
  void what_was_rolled_back_is_not_told_and_told_once_when_it_succeeds() throws Exception {
    enable();
    payments.fails = true;
    effects.apply(segment, EPOCH, 0, 1, List.of(paid(1, "a")));
    assertThat(told).isEmpty();
    payments.fails = false;
    effects.apply(segment, EPOCH, 0, 1, List.of(paid(1, "a")));
    assertThat(told).hasSize(2);
  }

  @Test
  void a_query_that_is_watched_between_handler_and_commit_hears_of_it() throws Exception {
    enable();
    var updates = bufferedUpdates.of(paid(1, "late"));
    updates.emit(Balance.class, query -> query.account().equals("late"), 1);
    var late = watch("late");
    bufferedUpdates.publish(segment, EPOCH, bufferedUpdates.take(List.of(paid(1, "late"))), 1);
    assertThat(told).hasSize(1);
    assertThat(((Update) told.get(0)).ids()).containsExactly(late);
  }

  @Test
  void nothing_is_told_under_a_fence_that_was_topped() throws Exception {
    enable();
    bufferedUpdates.enabled(new Lease(segment(4), told::add, this));
    effects.apply(segment, EPOCH, 0, 1, List.of(paid(1, "a")));
    assertThat(told).isEmpty();
  }

  @Test
  void who_watches_no_more_hears_nothing() throws Exception {
    enable();
    watchedQueries.remove(ofA, this);
    watchedQueries.lost(this);
    effects.apply(segment, EPOCH, 0, 1, List.of(paid(1, "a")));
    assertThat(told).isEmpty();
  }

  @Test
  void too_much_of_one_event_is_told_as_ask_again() throws Exception {
    enable();
    var updates = bufferedUpdates.of(paid(1, "a"));
    for (var i = 0; i <= BufferedUpdates.PER_EVENT_MAX; i++) {
      updates.emit(Balance.class, query -> query.account().equals("a"), i);
    }
    bufferedUpdates.publish(segment, EPOCH, bufferedUpdates.take(List.of(paid(1, "a"))), 1);
    assertThat(told).hasSize(BufferedUpdates.PER_EVENT_MAX);
    assertThat(((Update) told.get(told.size() - 1)).payload()).isNull();
  }
}
