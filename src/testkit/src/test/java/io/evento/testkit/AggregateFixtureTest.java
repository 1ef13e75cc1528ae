package io.evento.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.CommandMetadata;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.PayloadVersion;
import io.evento.bundle.api.Upcaster;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class AggregateFixtureTest {
  record Plant(@AggregateId String tree, String kind) {}

  record Grow(@AggregateId String tree, int centimetres) {}

  record Name(@AggregateId String tree) {}

  record Sign(@AggregateId String tree) {}

  record Carve(@AggregateId String tree, List<String> words) {}

  @PayloadVersion(2)
  record Planted(String kind) {
    record V1(String sort) {}

    @Upcaster(from = 1)
    static Planted rename(V1 old) {
      return new Planted(old.sort());
    }
  }

  record Grown(int centimetres) {}

  record Named(UUID name) {}

  record Signed(String by) {}

  record Carved(String[] words) {}

  @Aggregate
  record Oak(String kind, int height) {
    @CommandHandler
    static Planted plant(Plant command) {
      return new Planted(command.kind());
    }

    @CommandHandler
    Decision<Grown> grow(Grow command) {
      if (command.centimetres() < 0) {
        throw new IllegalStateException("trees do not shrink");
      }
      return height + command.centimetres() > 4_000
          ? Decision.reject("too-high", "height", height)
          : Decision.reply(
              height + command.centimetres(), new Grown(command.centimetres()), new Grown(0));
    }

    @CommandHandler
    Named name(Name command) {
      return new Named(UUID.randomUUID());
    }

    @CommandHandler
    Signed sign(Sign command, CommandMetadata metadata) {
      return new Signed(String.valueOf(metadata.metadata().get("user")));
    }

    @CommandHandler
    Carved carve(Carve command) {
      return new Carved(command.words().toArray(String[]::new));
    }

    @EventSourcingHandler
    static Oak planted(Planted event) {
      return new Oak(event.kind(), 0);
    }

    @EventSourcingHandler
    Oak grown(Grown event) {
      return new Oak(kind, height + event.centimetres());
    }

    @EventSourcingHandler
    Oak named(Named event) {
      return this;
    }

    @EventSourcingHandler
    Oak signed(Signed event) {
      return this;
    }

    @EventSourcingHandler
    Oak carved(Carved event) {
      return this;
    }
  }

  private static final Planted PLANTED = new Planted("red");

  private final AggregateFixture<Oak> oak = AggregateFixture.of(Oak.class);

  @Test
  void events_given_lead_to_events_a_value_and_a_state() {
    oak.given(PLANTED, new Grown(10))
        .when(new Grow("o-1", 5))
        .thenEvents(new Grown(5), new Grown(0))
        .thenValue(15)
        .thenState(new Oak("red", 15));
  }

  @Test
  void commands_given_are_decided_one_after_the_other() {
    oak.givenCommands(new Plant("o-1", "red"), new Grow("o-1", 3_000))
        .when(new Grow("o-1", 1_001))
        .thenRejected("too-high", "height", 3_000)
        .thenState(new Oak("red", 3_000));
  }

  @Test
  void a_history_can_be_tried_with_several_commands() {
    var history = oak.given(PLANTED, new Grown(3_999));
    history.when(new Grow("o-1", 1)).thenValue(4_000);
    history.when(new Grow("o-1", 2)).thenRejected("too-high");
  }

  @Test
  void what_the_sdk_refuses_by_itself_is_refused_here() {
    oak.givenNothing().when(new Grow("o-1", 1)).thenRejected("no-such-oak");
    oak.given(PLANTED).when(new Plant("o-1", "red")).thenRejected("oak-exists");
  }

  @Test
  void an_event_of_an_old_release_passes_through_its_upcasters() {
    oak.given(new Stored(Planted.class, 1, "{\"sort\":\"red\"}"))
        .when(new Grow("o-1", 5))
        .thenState(new Oak("red", 5));
  }

  @Test
  void events_and_commands_are_given_as_they_stand_in_a_store() {
    oak.given(new Stored("Planted", 2, "{\"kind\":\"red\"}"))
        .when(new Stored("Grow", 1, "{\"tree\":\"o-1\",\"centimetres\":5}"))
        .thenEvents(new Stored("Grown", 1, "{\"centimetres\":5}"), new Grown(0))
        .thenState(new Oak("red", 5));
    assertThatThrownBy(() -> oak.givenNothing().when(new Stored("Fell", 1, "{}")))
        .hasMessageContaining("knows no payload Fell");
  }

  @Test
  void metadata_reach_the_handler() {
    oak.given(PLANTED).when(new Sign("o-1"), Map.of("user", "ada")).thenEvents(new Signed("ada"));
  }

  @Test
  void other_events_are_shown_as_json_beside_those_expected() {
    var outcome = oak.given(PLANTED).when(new Grow("o-1", 5));
    assertThatThrownBy(() -> outcome.thenEvents(new Grown(6)))
        .isInstanceOf(AssertionError.class)
        .hasMessage(
            """
            Other events were decided.
            Given
              Planted {"kind":"red"}
            When
              Grow {"tree":"o-1","centimetres":5}
            Expected
              Grown {"centimetres":6}
            Actual
              Grown {"centimetres":5}
              Grown {"centimetres":0}""");
    assertThatThrownBy(() -> outcome.thenEvents(new Grown(5))).isInstanceOf(AssertionError.class);
    assertThatThrownBy(outcome::thenNothing).hasMessageContaining("Expected\n  (nothing)");
  }

  @Test
  void another_outcome_of_any_kind_fails_the_test() {
    var accepted = oak.given(PLANTED).when(new Grow("o-1", 5));
    assertThatThrownBy(() -> accepted.thenValue(6)).hasMessageContaining("The value is another");
    assertThatThrownBy(() -> accepted.thenState(new Oak("red", 6)))
        .hasMessageContaining("Oak {\"kind\":\"red\",\"height\":6}")
        .hasMessageContaining("Oak {\"kind\":\"red\",\"height\":5}");
    assertThatThrownBy(() -> accepted.thenRejected("too-high"))
        .hasMessageContaining("It was not rejected.");
    assertThatThrownBy(() -> accepted.thenFails("")).hasMessageContaining("did not fail");

    var rejected = oak.given(PLANTED).when(new Grow("o-1", 4_001));
    assertThatThrownBy(() -> rejected.thenEvents(new Grown(4_001)))
        .hasMessageContaining("It was not accepted.")
        .hasMessageContaining("rejection too-high {\"height\":0}");
    assertThatThrownBy(() -> rejected.thenRejected("too-low")).hasMessageContaining("another rule");
    assertThatThrownBy(() -> rejected.thenRejected("too-high", "height", 1))
        .hasMessageContaining("{\"height\":1}");

    var nothing = oak.givenNothing().when(new Grow("o-1", 5));
    assertThatThrownBy(() -> nothing.thenState(new Oak("red", 0)))
        .hasMessageContaining("There is no Oak afterwards");
  }

  @Test
  void a_handler_that_throws_fails_the_command() {
    var failed = oak.given(PLANTED).when(new Grow("o-1", -1));
    failed.thenFails("trees do not shrink");
    assertThatThrownBy(failed::thenNothing)
        .hasMessageContaining("failure HANDLER_FAILED IllegalStateException: trees do not shrink");
  }

  @Test
  void a_handler_that_decides_by_chance_is_found_out() {
    var history = oak.given(PLANTED);
    assertThatThrownBy(() -> history.when(new Name("o-1")))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("was decided in two ways")
        .hasMessageContaining("Check.REPEAT");
    oak.without(Check.REPEAT);
    assertThat(history.when(new Name("o-1"))).isNotNull();
  }

  @Test
  void a_payload_that_does_not_survive_json_is_found_out() {
    var words = new Carved(new String[] {"a"});
    assertThatThrownBy(() -> oak.given(PLANTED, words))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("Carved is another one after it was written as JSON and read back")
        .hasMessageContaining("Check.ROUND_TRIP");
    oak.without(Check.ROUND_TRIP)
        .given(PLANTED)
        .when(new Carve("o-1", List.of("a")))
        .thenEvents(words);
  }

  @Test
  void a_history_is_about_one_aggregate() {
    var history = oak.givenCommands(new Plant("o-1", "red"));
    assertThatThrownBy(() -> history.when(new Grow("o-2", 1)))
        .hasMessageContaining("is for Oak o-2, but the history is that of o-1");
  }

  @Test
  void events_of_another_aggregate_cannot_be_given() {
    assertThatThrownBy(() -> oak.given(new Plant("o-1", "red")).when(new Grow("o-1", 1)))
        .hasMessageContaining("no @EventSourcingHandler of Oak applies the stored Plant");
  }

  record NoAggregate() {}

  @Test
  void a_component_is_checked_as_at_the_start_of_a_bundle() {
    assertThatThrownBy(() -> AggregateFixture.of(NoAggregate.class))
        .isInstanceOf(InvalidBundleException.class);
  }
}
