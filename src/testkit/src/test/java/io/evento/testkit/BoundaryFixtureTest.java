package io.evento.testkit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.api.Boundary;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InitialState;
import io.evento.bundle.api.Tag;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class BoundaryFixtureTest {
  record Subscribe(@Tag String course, @Tag String student) {}

  record Leave(@Tag String course) {}

  record Subscribed(@Tag String course, @Tag String student) {}

  record Left(@Tag String course, String by) {}

  /** Two students a course, one course a student. */
  @Boundary(context = "school")
  record Enrolment(String student, int inCourse, int ofStudent) {
    @InitialState
    static Enrolment of(Subscribe command) {
      return new Enrolment(command.student(), 0, 0);
    }

    @CommandHandler
    Decision<Subscribed> subscribe(Subscribe command) {
      if (inCourse >= 2) {
        return Decision.reject("full", "students", inCourse);
      }
      return ofStudent >= 1
          ? Decision.reject("busy")
          : Decision.reply(inCourse + 1, new Subscribed(command.course(), command.student()));
    }

    @CommandHandler
    static Left leave(Leave command, Enrolment before) {
      return new Left(command.course(), UUID.randomUUID().toString());
    }

    @EventSourcingHandler
    static Enrolment subscribed(Subscribed event, Enrolment before) {
      if (before == null) {
        return new Enrolment(event.student(), 1, 1);
      }
      var same = event.student().equals(before.student);
      return new Enrolment(
          before.student, before.inCourse + (same ? 0 : 1), before.ofStudent + (same ? 1 : 0));
    }

    @EventSourcingHandler
    static Enrolment left(Left event, Enrolment before) {
      return before;
    }
  }

  private final BoundaryFixture<Enrolment> enrolment = BoundaryFixture.of(Enrolment.class);

  @Test
  void a_decision_rests_on_all_events_with_its_tags() {
    enrolment
        .givenNothing()
        .when(new Subscribe("maths", "ada"))
        .thenEvents(new Subscribed("maths", "ada"))
        .thenValue(1);
    enrolment
        .given(new Subscribed("maths", "bob"), new Subscribed("maths", "eve"))
        .when(new Subscribe("maths", "ada"))
        .thenRejected("full", "students", 2);
    enrolment
        .given(new Subscribed("music", "ada"))
        .when(new Subscribe("maths", "ada"))
        .thenRejected("busy");
  }

  @Test
  void it_does_not_see_what_concerns_others() {
    enrolment
        .given(new Subscribed("music", "bob"), new Subscribed("music", "eve"))
        .and(new Subscribed("maths", "joe"))
        .when(new Subscribe("maths", "ada"))
        .thenValue(2);
  }

  @Test
  void another_outcome_is_shown_beside_the_expected_one() {
    var outcome = enrolment.givenNothing().when(new Subscribe("maths", "ada"));
    assertThatThrownBy(() -> outcome.thenEvents(new Subscribed("maths", "bob")))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("Subscribed {\"course\":\"maths\",\"student\":\"bob\"}")
        .hasMessageContaining("Subscribed {\"course\":\"maths\",\"student\":\"ada\"}");
    assertThatThrownBy(() -> outcome.thenRejected("full"))
        .hasMessageContaining("It was not rejected.");
  }

  @Test
  void a_boundary_that_decides_by_chance_is_found_out() {
    assertThatThrownBy(() -> enrolment.givenNothing().when(new Leave("maths")))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("was decided in two ways");
  }
}
