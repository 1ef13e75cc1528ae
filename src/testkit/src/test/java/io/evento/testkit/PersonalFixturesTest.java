package io.evento.testkit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.Associate;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Observer;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.SagaStart;
import io.evento.bundle.api.Step;
import io.evento.bundle.personal.Personal;
import io.evento.bundle.personal.SubjectErased;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Fixtures encrypt what is personal where handlers are called, and show it in the clear. */
class PersonalFixturesTest {
  record Join(@AggregateId String id, @Personal(subject = "/id") String name) {}

  record Rename(@AggregateId String id, @Personal(subject = "@aggregate") String name) {}

  record Greet(@AggregateId String id) {}

  record Stumble(@AggregateId String id) {}

  record Joined(@Personal(subject = "@aggregate") String name) {}

  record Greeted(@Personal(subject = "@aggregate") String by) {}

  record Card(String id, @Personal(subject = "/id") String name) {}

  @Aggregate
  record Guest(String id, @Personal(subject = "/id") String name) {
    @CommandHandler
    static Decision<Joined> join(Join command) {
      return Decision.reply(new Card(command.id, command.name), new Joined(command.name));
    }

    @CommandHandler
    Joined rename(Rename command) {
      return new Joined(command.name);
    }

    @CommandHandler
    Greeted greet(Greet command) {
      return new Greeted(name);
    }

    @CommandHandler
    Greeted stumble(Stumble command) {
      throw new IllegalStateException("over " + name);
    }

    @EventSourcingHandler
    static Guest joined(Joined event, @Nullable Guest before) {
      return new Guest("g-1", event.name);
    }

    @EventSourcingHandler
    Guest greeted(Greeted event) {
      return this;
    }
  }

  record Names() {}

  record View(List<String> names) {}

  @Projector(name = "guests")
  public static class Guests {
    private final Map<String, String> names = new TreeMap<>();

    @EventHandler
    public void on(Joined event, io.evento.bundle.api.EventMetadata metadata) {
      names.put(metadata.aggregateId(), event.name);
    }

    @EventHandler
    public void on(SubjectErased erased) {
      names.remove(erased.subject());
    }

    @QueryHandler
    public View names(Names query) {
      return new View(new ArrayList<>(names.values()));
    }
  }

  record SendCard(String guest, @Personal(subject = "/guest") String name) {}

  @Observer(name = "cards")
  public static class Cards {
    @EventHandler
    public SendCard on(Joined event, io.evento.bundle.api.EventMetadata metadata) {
      return new SendCard(metadata.aggregateId(), event.name);
    }
  }

  record Visit(String guest, @Personal(subject = "/guest") String name) {}

  @Saga(name = "visits", state = Visit.class)
  public static class Visits {
    @SagaStart
    @Associate
    public Step<Visit> on(Joined event, io.evento.bundle.api.EventMetadata metadata) {
      return Step.to(new Visit(metadata.aggregateId(), event.name))
          .send(new SendCard(metadata.aggregateId(), event.name));
    }
  }

  record OfNobody(@Personal(subject = "@aggregate") String name) {}

  @Saga(name = "lost", state = OfNobody.class)
  public static class Lost {
    @SagaStart
    @Associate
    public Step<OfNobody> on(Joined event) {
      return Step.to(new OfNobody(event.name));
    }
  }

  record Found(String owner, @Personal(subject = "/owner") String mail) {}

  @Saga(name = "by-mail", state = Names.class)
  public static class ByMail {
    @SagaStart
    @Associate("mail")
    public Step<Names> on(Found event) {
      return Step.to(new Names());
    }
  }

  record Search(String owner, @Personal(subject = "/owner") String mail) {}

  @io.evento.bundle.api.Projection(projector = "guests")
  public static class Searches {
    @QueryHandler
    public View find(Search query) {
      return new View(List.of());
    }
  }

  @Test
  void an_aggregate_decides_on_what_is_personal() {
    AggregateFixture.of(Guest.class)
        .givenNothing()
        .when(new Join("g-1", "Ada"))
        .thenEvents(new Joined("Ada"))
        .thenValue(new Card("g-1", "Ada"));
    AggregateFixture.of(Guest.class)
        .given(new Joined("Ada"))
        .when(new Greet("g-1"))
        .thenEvents(new Greeted("Ada"));
  }

  @Test
  void once_the_subject_is_erased_an_aggregate_reads_placeholders_and_writes_nothing_new() {
    var erased = AggregateFixture.of(Guest.class).given(new Joined("Ada")).andErased("g-1");
    erased.when(new Greet("g-1")).thenEvents(new Greeted("[erased]"));
    // Sent before the erasure, decided after it.
    erased.when(new Rename("g-1", "Augusta")).thenEvents(new Joined("[erased]"));
    AggregateFixture.of(Guest.class)
        .givenCommands(new Join("g-1", "Ada"))
        .andErased("g-1")
        .when(new Greet("g-1"))
        .thenEvents(new Greeted("[erased]"));
  }

  @Test
  void a_failure_is_told_without_its_text_where_something_personal_was_handled() {
    var failed = AggregateFixture.of(Guest.class).given(new Joined("Ada")).when(new Stumble("g-1"));
    failed.thenFails("java.lang.IllegalStateException: its text is withheld");
    assertThatThrownBy(() -> failed.thenFails("Ada")).isInstanceOf(AssertionError.class);
  }

  @Test
  void a_projector_is_told_of_an_erasure() {
    ProjectorFixture.withoutDatabase(new Guests())
        .given(Guest.class, "g-1", new Joined("Ada"))
        .given(Guest.class, "g-2", new Joined("Bob"))
        .thenAnswers(new Names(), new View(List.of("Ada", "Bob")))
        .givenErased("g-1")
        .thenAnswers(new Names(), new View(List.of("Bob")))
        .given(Guest.class, "g-1", new Joined("Ada"))
        .thenAnswers(new Names(), new View(List.of("[erased]", "Bob")));
  }

  @Test
  void sagas_and_observers_read_what_is_personal_and_placeholders_once_it_is_erased() {
    ObserverFixture.of(new Cards())
        .when(Guest.class, "g-1", new Joined("Ada"))
        .thenSends(new SendCard("g-1", "Ada"))
        .givenErased("g-1")
        .when(Guest.class, "g-1", new Joined("Ada"))
        .thenSends(new SendCard("g-1", "[erased]"));
    SagaFixture.of(new Visits())
        .when(Guest.class, "g-1", new Joined("Ada"))
        .thenState(new Visit("g-1", "Ada"))
        .thenSends(new SendCard("g-1", "Ada"))
        .givenErased("g-2")
        .when(Guest.class, "g-2", new Joined("Bob"))
        .thenState(new Visit("g-2", "[erased]"));
  }

  @Test
  void what_has_no_aggregate_cannot_have_it_as_its_subject() {
    assertThatThrownBy(() -> SagaFixture.of(new Lost()))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessage(
            "/name of OfNobody cannot have the subject @aggregate, as the state of a saga is of no"
                + " aggregate: name the component that holds the subject's id");
  }

  @Test
  void a_saga_is_not_found_by_what_is_personal() {
    assertThatThrownBy(() -> SagaFixture.of(new ByMail()))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessage(
            "/mail of Found cannot be @Personal: ByMail.on is associated by it, and what finds a"
                + " saga is kept in the clear");
  }

  @Test
  void a_query_has_nothing_personal() {
    assertThatThrownBy(() -> ProjectorFixture.withoutDatabase(new Guests(), new Searches()))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining("/mail of Search cannot be @Personal: a query is not kept");
  }
}
