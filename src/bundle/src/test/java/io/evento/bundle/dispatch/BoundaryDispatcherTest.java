package io.evento.bundle.dispatch;

import static io.evento.bundle.api.Decision.accept;
import static io.evento.bundle.api.Decision.reject;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.Boundary;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Criteria;
import io.evento.bundle.api.CriteriaBuilder;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InitialState;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Tag;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.protocol.DecideMessage.BoundaryDecided;
import io.evento.protocol.DecideMessage.Criterion;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a boundary answers to a node. */
class BoundaryDispatcherTest {
  private static final UUID ID = UUID.fromString("0190a0b0-0000-7000-8000-000000000001");

  record CourseDefined(@Tag("course") String courseId, int seats) {}

  record Subscribed(@Tag("course") String courseId, @Tag("student") String studentId) {}

  record Subscribe(@Tag("course") String courseId, @Tag("student") String studentId) {
    Subscribe {
      courseId = courseId.toLowerCase(Locale.ROOT);
    }
  }

  record Leave(@AggregateId String studentId, List<String> courses) {}

  record Left(@Tag("student") @Nullable String studentId, @Tag("course") List<String> courses) {}

  @Boundary(context = "school")
  record Subscription(Subscribe wanted, int seats, int taken, int ofStudent) {
    @InitialState
    static Subscription of(Subscribe command) {
      return new Subscription(command, 0, 0, 0);
    }

    @CriteriaBuilder
    static Criteria reads(Leave command) {
      return Criteria.tagged("student", command.studentId())
          .and("course", command.courses().get(0))
          .types(Subscribed.class)
          .or("course", command.courses().get(0));
    }

    @CommandHandler
    Decision<Subscribed> subscribe(Subscribe command) {
      if (taken >= seats) {
        return reject("full", "seats", seats);
      }
      return ofStudent >= 2
          ? reject("too-many-courses")
          : accept(new Subscribed(command.courseId(), command.studentId()));
    }

    @CommandHandler
    static Left leave(Leave command, Subscription state) {
      return new Left(command.studentId(), command.courses());
    }

    @EventSourcingHandler
    Subscription defined(CourseDefined event) {
      return new Subscription(wanted, event.seats(), taken, ofStudent);
    }

    @EventSourcingHandler
    static @Nullable Subscription subscribed(Subscribed event, @Nullable Subscription state) {
      if (state == null) {
        return null;
      }
      var wanted = state.wanted;
      return new Subscription(
          wanted,
          state.seats,
          state.taken + (event.courseId().equals(wanted.courseId()) ? 1 : 0),
          state.ofStudent + (event.studentId().equals(wanted.studentId()) ? 1 : 0));
    }

    @EventSourcingHandler
    static Subscription left(Left event, Subscription state) {
      return state;
    }
  }

  private static final Criterion COURSE =
      new Criterion(List.of("CourseDefined", "Left", "Subscribed"), List.of("course:c-1"));
  private static final Criterion STUDENT =
      new Criterion(List.of("Left", "Subscribed"), List.of("student:s-1"));
  private static final Json SUBSCRIBE = new Json("{\"courseId\":\"C-1\",\"studentId\":\"s-1\"}");

  private final BoundaryDispatcher dispatcher =
      new BoundaryDispatcher(
          Components.of(List.of(Subscription.class), new PayloadMapper(), false));
  private final List<Message> answers = new ArrayList<>();

  private void send(
      long attempt, List<Criterion> read, int from, boolean more, HistoryEvent... events) {
    dispatcher.decideBoundary(
        new DecideBoundary(
            ID,
            "Subscribe",
            attempt,
            "Subscription",
            "C-1",
            read,
            from,
            List.of(events),
            more,
            1_000,
            null,
            null,
            SUBSCRIBE),
        answers::add);
  }

  private BoundaryDecided answer() {
    assertThat(answers).hasSize(1);
    return (BoundaryDecided) answers.remove(0);
  }

  private String rejection() {
    return Objects.requireNonNull(answer().rejection()).code();
  }

  private static HistoryEvent defined(int seats) {
    return new HistoryEvent(
        "CourseDefined", new Json("{\"courseId\":\"c-1\",\"seats\":" + seats + "}"));
  }

  private static HistoryEvent subscribed(String course, String student) {
    return new HistoryEvent(
        "Subscribed",
        new Json("{\"courseId\":\"" + course + "\",\"studentId\":\"" + student + "\"}"));
  }

  @Test
  void first_it_says_what_its_tags_make_it_rest_on_as_the_record_has_them() {
    send(1, List.of(), 0, false);
    var said = answer();
    assertThat(said.unread()).isTrue();
    assertThat(said.criteria()).containsExactly(COURSE, STUDENT);
    assertThat(said.stream()).isEqualTo("course:c-1,student:s-1");
  }

  @Test
  void it_never_decides_on_what_was_read_by_other_criteria() {
    send(1, List.of(COURSE), 0, false, defined(3));
    assertThat(answer().unread()).isTrue();
  }

  @Test
  void it_decides_on_what_was_read_and_tags_its_events() {
    send(1, List.of(COURSE, STUDENT), 0, false, defined(2), subscribed("c-1", "s-2"));
    var said = answer();
    assertThat(said.unread()).isFalse();
    assertThat(said.criteria()).containsExactly(COURSE, STUDENT);
    assertThat(said.events()).hasSize(1);
    assertThat(said.events().get(0).tags()).containsExactly("course:c-1", "student:s-1");

    send(2, List.of(COURSE, STUDENT), 0, false, defined(1), subscribed("c-1", "s-2"));
    assertThat(rejection()).isEqualTo("full");
    send(
        3,
        List.of(COURSE, STUDENT),
        0,
        false,
        defined(9),
        subscribed("c-2", "s-1"),
        subscribed("c-3", "s-1"));
    assertThat(rejection()).isEqualTo("too-many-courses");
  }

  @Test
  void events_come_in_parts_and_a_lost_part_is_asked_for_again() {
    send(1, List.of(COURSE, STUDENT), 0, true, defined(1));
    assertThat(answers).isEmpty();
    send(1, List.of(COURSE, STUDENT), 1, false, subscribed("c-1", "s-2"));
    assertThat(rejection()).isEqualTo("full");

    send(2, List.of(COURSE, STUDENT), 1, false, subscribed("c-1", "s-2"));
    assertThat(answer().unread()).isTrue();
    send(3, List.of(COURSE, STUDENT), 0, true, defined(1));
    send(3, List.of(COURSE, STUDENT), 2, false, subscribed("c-1", "s-2"));
    assertThat(answer().unread()).isTrue();
  }

  @Test
  void an_event_of_a_newer_release_is_left_to_an_instance_of_it() {
    var newer = new HistoryEvent("CourseDefined", 2, new Json("{}"));
    for (var event : List.of(newer, new HistoryEvent("Renamed", new Json("{}")))) {
      send(1, List.of(COURSE, STUDENT), 0, false, event);
      assertThat(Objects.requireNonNull(answer().failure()).code()).isEqualTo(ErrorCode.NO_HANDLER);
    }
  }

  @Test
  void a_method_may_say_what_a_command_rests_on() {
    dispatcher.decideBoundary(
        new DecideBoundary(
            ID,
            "Leave",
            1,
            "Subscription",
            "s-1",
            List.of(),
            0,
            List.of(),
            false,
            1_000,
            null,
            null,
            new Json("{\"studentId\":\"s-1\",\"courses\":[\"c-1\",\"c-2\"]}")),
        answers::add);
    var said = answer();
    assertThat(said.criteria())
        .containsExactly(
            new Criterion(List.of("Subscribed"), List.of("course:c-1", "student:s-1")), COURSE);
    assertThat(said.stream()).as("named by its @AggregateId").isEqualTo("s-1");
  }

  @Test
  void a_tag_for_each_of_a_collection() {
    var left = new PayloadMapper().typeOf(Left.class);
    assertThat(left.tags(new Left(null, List.of("a", "b", "a"))))
        .containsExactly("course:a", "course:b");
    assertThatThrownBy(() -> left.tags(new Left("x\n", List.of())))
        .hasMessageContaining("must not contain control characters");
    assertThatThrownBy(() -> left.tags(new Left("x".repeat(300), List.of())))
        .hasMessageContaining("must have 1 to 300 characters");
  }

  record Untagged(String name) {}

  record Named(String name) {}

  @Boundary
  record Nothing(String a) {
    @CommandHandler
    static Named decide(Untagged command, Nothing state) {
      return new Named(command.name());
    }

    @EventSourcingHandler
    static Nothing named(Named event) {
      return new Nothing(event.name());
    }
  }

  record Choose(@Tag String name) {}

  @Boundary
  record Unguarded(String a) {
    @CommandHandler
    static Named decide(Choose command, Unguarded state) {
      return new Named(command.name());
    }

    @EventSourcingHandler
    static Unguarded named(Named event) {
      return new Unguarded(event.name());
    }
  }

  record Real(@Tag double value) {}

  @Test
  void what_would_guard_nothing_does_not_start() {
    assertRefused(
        Nothing.class, "put @Tag on a component, or give Nothing a @CriteriaBuilder method");
    assertRefused(Unguarded.class, "put @Tag(\"name\") on a component of one");
    assertThatThrownBy(() -> new PayloadMapper().typeOf(Real.class))
        .hasMessageContaining("must be on a String, UUID, whole number or enum");
  }

  private static void assertRefused(Class<?> boundary, String sentence) {
    assertThatThrownBy(() -> Components.of(List.of(boundary), new PayloadMapper(), false))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining(sentence);
  }
}
