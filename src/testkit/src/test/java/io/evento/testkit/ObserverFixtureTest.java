package io.evento.testkit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.Observer;
import io.evento.bundle.api.Reaction;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class ObserverFixtureTest {
  record Measure(@AggregateId String room, int degrees) {}

  record Measured(int degrees) {}

  record Aired() {}

  record Counted() {}

  record Alarm(String room, long position) {}

  record Log(int number) {}

  @Aggregate(context = "house")
  record Room() {
    @CommandHandler
    static Measured measure(Measure command, Room room) {
      return new Measured(command.degrees());
    }

    @EventSourcingHandler
    static Room measured(Measured event) {
      return new Room();
    }
  }

  @Observer(name = "fire", context = "house")
  static class Fire {
    private int count;

    @EventHandler
    Alarm on(Measured event, EventMetadata at) {
      return event.degrees() > 60 ? new Alarm(at.aggregateId(), at.position()) : null;
    }

    @EventHandler
    CompletionStage<Reaction> on(Aired event, EventMetadata at) {
      return CompletableFuture.completedFuture(
          Reaction.send(new Alarm(at.aggregateId(), 0)).and(new Log(0)));
    }

    @EventHandler
    Log on(Counted event) {
      return new Log(++count);
    }
  }

  private final ObserverFixture fire = ObserverFixture.of(new Fire());

  @Test
  void an_event_leads_to_a_command_or_to_none() {
    fire.when(Room.class, "r-1", new Measured(20))
        .thenSends()
        .when(Room.class, "r-1", new Measured(61))
        .thenSends(new Alarm("r-1", 2));
  }

  @Test
  void a_stage_of_several_commands_is_waited_for() {
    fire.when(Room.class, "r-1", new Aired()).thenSends(new Log(0), new Alarm("r-1", 0));
  }

  @Test
  void other_commands_are_shown_beside_the_expected_ones() {
    fire.when(Room.class, "r-1", new Measured(61));
    assertThatThrownBy(() -> fire.thenSends(new Alarm("r-2", 1)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("Given\n  Room r-1: Measured {\"degrees\":61}")
        .hasMessageContaining("Expected\n  Alarm {\"room\":\"r-2\",\"position\":1}")
        .hasMessageContaining("Actual\n  Alarm {\"room\":\"r-1\",\"position\":1}");
    assertThatThrownBy(fire::thenSends).hasMessageContaining("(nothing)");
  }

  @Test
  void an_event_that_leads_to_something_else_when_it_comes_again_is_found_out() {
    assertThatThrownBy(() -> fire.when(Room.class, "r-1", new Counted()))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("led to other commands when it came again");
  }
}
