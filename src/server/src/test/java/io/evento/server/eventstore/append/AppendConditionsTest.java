package io.evento.server.eventstore.append;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendCondition;
import io.evento.server.eventstore.AppendCondition.Alternative;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.StorePosition;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Conditions that reach far back hold like fresh ones, and never hold the gate. */
class AppendConditionsTest {
  private static final int OLD = 2_500;

  private static TestDatabase database;
  private static StoreNode node;

  private final String stream = "Course:" + UUID.randomUUID();
  private final String tag = "course:" + UUID.randomUUID();

  @BeforeAll
  static void start() {
    database = PostgresFixture.shared().migrated();
    node = StoreNode.start(database, "a");
    fill(OLD);
  }

  @AfterAll
  static void stop() {
    node.close();
    database.close();
  }

  private static void fill(int events) {
    var appends = new ArrayList<CompletionStage<?>>();
    for (var i = 0; i < events; i++) {
      appends.add(
          node.appender.append(
              AppendRequests.on("Noise:" + UUID.randomUUID(), Tip.EMPTY)
                  .event("Noise", "all")
                  .events()));
    }
    StoreNode.awaitAll(appends);
  }

  private AppendResult append(AppendRequest appendRequest) {
    return StoreNode.await(node.appendConditions.append(appendRequest, ofSeconds(20)));
  }

  private static AppendCondition none(StorePosition after, String type, String... tags) {
    return new AppendCondition(after, List.of(new Alternative(List.of(type), List.of(tags))));
  }

  private static StorePosition beginning() {
    return node.order.head().at(0);
  }

  private AppendRequests joined() {
    return AppendRequests.on(stream + "/" + UUID.randomUUID(), Tip.EMPTY)
        .event("Joined", tag, "all");
  }

  @Test
  void the_gate_sends_an_old_condition_away() {
    var head = node.order.head();
    var old = joined().when(none(head.at(head.position() - 1_001), "Joined", tag)).events();
    assertThat(node.append(old)).isEqualTo(new AppendResult.Behind(head));
    var fresh = joined().when(none(head.at(head.position() - 1_000), "Joined", tag)).events();
    assertThat(node.append(fresh)).isInstanceOf(AppendResult.Appended.class);
  }

  @Test
  void an_old_condition_holds_where_nothing_matches_and_is_broken_by_what_does() {
    assertThat(append(joined().when(none(beginning(), "Joined", tag)).events()))
        .isInstanceOf(AppendResult.Appended.class);
    var at = node.order.head();
    fill(400);
    assertThat(append(joined().when(none(beginning(), "Joined", tag)).events()))
        .isEqualTo(new AppendResult.ConditionBroken(at));
    assertThat(append(joined().when(none(at, "Joined", tag)).events()))
        .as("after it")
        .isInstanceOf(AppendResult.Appended.class);
  }

  @Test
  void every_tag_of_an_alternative_counts_and_any_of_its_types() {
    StoreNode.await(node.appendConditions.append(joined().events(), ofSeconds(20)));
    fill(400);
    assertThat(append(joined().when(none(beginning(), "Joined", tag, "other:1")).events()))
        .isInstanceOf(AppendResult.Appended.class);
    var types = new Alternative(List.of("Left", "Joined"), List.of("all", tag));
    assertThat(append(joined().when(new AppendCondition(beginning(), List.of(types))).events()))
        .isInstanceOf(AppendResult.ConditionBroken.class);
    var any = new Alternative(null, List.of(tag));
    assertThat(append(joined().when(new AppendCondition(beginning(), List.of(any))).events()))
        .isInstanceOf(AppendResult.ConditionBroken.class);
  }

  @Test
  void a_condition_without_tags_looks_at_types_alone() {
    var type = "T" + UUID.randomUUID();
    var appendCondition = none(beginning(), type);
    var first = AppendRequests.on(stream, Tip.EMPTY).event(type).when(appendCondition).events();
    assertThat(append(first)).isInstanceOf(AppendResult.Appended.class);
    fill(400);
    var second =
        AppendRequests.on(stream + "2", Tip.EMPTY).event(type).when(appendCondition).events();
    assertThat(append(second)).isInstanceOf(AppendResult.ConditionBroken.class);
  }

  @Test
  void a_repeat_gets_its_first_outcome_though_its_own_event_breaks_its_condition() {
    var appendRequest = joined().when(none(beginning(), "Joined", tag)).events();
    assertThat(append(appendRequest)).isInstanceOf(AppendResult.Appended.class);
    var again =
        joined().id(appendRequest.commandId()).when(none(beginning(), "Joined", tag)).events();
    assertThat(append(again)).isInstanceOf(AppendResult.Duplicate.class);
    fill(1_100);
    assertThat(append(again)).isInstanceOf(AppendResult.Duplicate.class);
  }

  @Test
  void a_rejection_under_an_old_condition_is_kept_only_if_it_holds() {
    var holds = joinedNothing().when(none(beginning(), "Joined", tag)).body("{}").rejected();
    assertThat(append(holds)).isInstanceOf(AppendResult.Kept.class);
    append(joined().events());
    var broken = joinedNothing().when(none(beginning(), "Joined", tag)).body("{}").rejected();
    assertThat(append(broken)).isInstanceOf(AppendResult.ConditionBroken.class);
    assertThat(node.outcomes.outcome(broken.commandId())).isEmpty();
  }

  private AppendRequests joinedNothing() {
    return AppendRequests.on(stream + "/" + UUID.randomUUID(), Tip.EMPTY);
  }

  @Test
  void an_old_condition_of_another_epoch_is_refused() {
    var elsewhere = new StorePosition(UUID.randomUUID(), 0);
    assertThat(append(joined().when(none(elsewhere, "Joined", tag)).events()))
        .isEqualTo(new AppendResult.EpochChanged(node.order.head().epoch()));
  }

  @Test
  void a_look_ends_with_the_patience_of_its_caller_and_stores_nothing() throws Exception {
    var after = beginning();
    var appendRequest = joined().when(none(after, "Joined", tag)).events();
    try (var blocker = tableLocked()) {
      var began = System.nanoTime();
      assertFails(
          node.appendConditions.append(appendRequest, Duration.ofMillis(500)),
          ErrorCode.DEADLINE_EXCEEDED);
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(ofSeconds(4));
      blocker.rollback();
    }
    assertThat(node.outcomes.outcome(appendRequest.commandId())).isEmpty();
  }

  @Test
  void more_looks_than_a_bound_are_refused_at_once() throws Exception {
    var after = beginning();
    try (var blocker = tableLocked()) {
      var looks = new ArrayList<CompletionStage<AppendResult>>();
      for (var i = 0; i < 64; i++) {
        looks.add(
            node.appendConditions.append(
                joined().when(none(after, "Joined", tag + i)).events(), ofSeconds(3)));
      }
      assertFails(
          node.appendConditions.append(
              joined().when(none(after, "Joined", tag)).events(), ofSeconds(3)),
          ErrorCode.OVERLOADED);
      blocker.rollback();
      assertThat(looks)
          .allSatisfy(
              look -> assertThat(StoreNode.await(look)).isInstanceOf(AppendResult.Appended.class));
    }
    assertThat(append(joined().when(none(after, "Joined", tag + "later")).events()))
        .isInstanceOf(AppendResult.Appended.class);
  }

  @Test
  void a_hundred_alternatives_take_one_look_and_the_first_event_that_meets_one_is_told() {
    append(joined().events());
    var at = node.order.head();
    append(AppendRequests.on(stream, Tip.EMPTY).event("Left", tag).events());
    fill(400);
    var items = new ArrayList<Alternative>();
    for (var i = 0; i < 98; i++) {
      items.add(new Alternative(List.of("Joined"), List.of(tag + i)));
    }
    items.add(new Alternative(List.of("Left"), List.of(tag)));
    items.add(new Alternative(List.of("Joined"), List.of(tag)));
    assertThat(append(joined().when(new AppendCondition(beginning(), items)).events()))
        .isEqualTo(new AppendResult.ConditionBroken(at));
  }

  /** Nobody reads the events until it is rolled back. */
  private static Connection tableLocked() throws SQLException {
    var owner = database.asOwner();
    owner.setAutoCommit(false);
    owner.createStatement().execute("lock table evento.event in access exclusive mode");
    return owner;
  }

  private static void assertFails(CompletionStage<AppendResult> result, ErrorCode code) {
    assertThatThrownBy(() -> StoreNode.await(result))
        .cause()
        .asInstanceOf(type(EventoException.class))
        .extracting(EventoException::code)
        .isEqualTo(code);
  }

  @Test
  void a_model_is_all_that_matches_once_and_in_order() {
    append(joined().events());
    append(AppendRequests.on(stream, Tip.EMPTY).event("Left", tag).event("Else", "x").events());
    var model =
        node.criteria
            .read(
                List.of(
                    new Alternative(List.of("Joined"), List.of(tag)),
                    new Alternative(null, List.of(tag)),
                    new Alternative(List.of("Never"), List.of("all"))))
            .orElseThrow();
    assertThat(model.events()).extracting(event -> event.type()).containsExactly("Joined", "Left");
    assertThat(model.at()).isEqualTo(node.order.head());
  }

  @Test
  void a_filter_of_the_store_and_one_of_memory_accept_the_same() {
    var start = node.order.head().position();
    append(joined().events());
    append(
        AppendRequests.on(stream, Tip.EMPTY).event("Left", tag, "x").event("Else", "x").events());
    var all = node.search.after(start, 1_000, EventFilter.ALL).events();
    var items =
        List.of(
            new Alternative(List.of("Left", "Else"), List.of("x")),
            new Alternative(null, List.of(tag, "all")));
    for (var filter :
        List.of(
            new EventFilter("bank", List.of("Joined", "Left"), null, null, List.of(tag), List.of()),
            new EventFilter(null, List.of(), "Course", null, List.of(tag, "x"), List.of()),
            new EventFilter(null, List.of(), null, null, List.of(), items),
            new EventFilter(null, List.of("Else"), "Course", stream.substring(7), List.of(), items),
            new EventFilter(null, "Joined", null, null, "all"))) {
      assertThat(node.search.after(start, 1_000, filter).events())
          .isNotEmpty()
          .isEqualTo(all.stream().filter(filter::accepts).toList());
    }
  }

  @Test
  void a_model_of_too_many_events_is_none() {
    var one = new Alternative(null, List.of(tag));
    for (var i = 0; i < 10; i++) {
      var request = AppendRequests.on(stream + "/" + i, Tip.EMPTY);
      for (var event = 0; event < 1_000; event++) {
        request.event("Joined", tag);
      }
      assertThat(node.append(request.events())).isInstanceOf(AppendResult.Appended.class);
    }
    assertThat(node.criteria.read(List.of(one)).orElseThrow().events()).hasSize(10_000);
    node.append(joined().events());
    assertThat(node.criteria.read(List.of(one))).isEmpty();
  }
}
