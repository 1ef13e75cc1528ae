package io.evento.bundle.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.CommandMetadata;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Projection;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.api.RewindHandler;
import io.evento.bundle.api.Rewound;
import io.evento.bundle.api.Service;
import io.evento.bundle.api.TypeName;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.EventType;
import java.io.InputStream;
import java.sql.Connection;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

@NullUnmarked
class ComponentsTest {
  sealed interface DoorCommand permits Build, Open, Close {}

  record Build(@AggregateId String door) implements DoorCommand {}

  record Open(@AggregateId String door) implements DoorCommand {}

  record Close(@AggregateId String door) implements DoorCommand {}

  sealed interface DoorEvent permits Built, Opened, Closed {}

  record Built() implements DoorEvent {}

  record Opened(int times) implements DoorEvent {}

  record Closed() implements DoorEvent {}

  record FindDoor(String door) {}

  record DoorView(String door, boolean open) {}

  @Aggregate(context = "house", snapshotEvery = 50)
  record Door(boolean open) {
    @CommandHandler
    static Built build(Build command) {
      return new Built();
    }

    @CommandHandler
    Decision<DoorEvent> change(Open command, CommandMetadata metadata) {
      return open ? Decision.nothing() : Decision.accept(new Opened(1));
    }

    @CommandHandler
    List<DoorEvent> close(Close command) {
      return open ? List.of(new Closed()) : List.of();
    }

    @EventSourcingHandler
    static Door any(DoorEvent event, Door before) {
      return new Door(event instanceof Opened);
    }
  }

  @Projector(name = "doors", context = "house")
  static class Doors {
    @EventHandler
    void on(DoorEvent event, EventMetadata at, Connection tx) {}

    @QueryHandler
    DoorView find(FindDoor query, Connection tx) {
      return new DoorView(query.door(), true);
    }
  }

  private static Components read(Object... registered) {
    return Components.of(Arrays.asList(registered), new PayloadMapper(), true);
  }

  private static void assertRefused(String sentence, Object... registered) {
    assertThatThrownBy(() -> read(registered))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining(sentence);
  }

  @Test
  void an_aggregate_declares_its_commands_events_and_state() {
    var declared = read(Door.class).declared().get(0);
    assertThat(declared.kind()).isEqualTo(ComponentKind.AGGREGATE);
    assertThat(declared.name()).isEqualTo("Door");
    assertThat(declared.context()).isEqualTo("house");
    assertThat(declared.snapshotEvery()).isEqualTo(50);
    assertThat(declared.stateSchema()).hasSize(16);
    assertThat(declared.commands())
        .extracting(CommandType::type, CommandType::idProperty)
        .containsExactlyInAnyOrder(
            org.assertj.core.groups.Tuple.tuple("Build", "door"),
            org.assertj.core.groups.Tuple.tuple("Open", "door"),
            org.assertj.core.groups.Tuple.tuple("Close", "door"));
    assertThat(declared.events())
        .extracting(EventType::type)
        .containsExactlyInAnyOrder("Built", "Opened", "Closed");
  }

  @Test
  void a_service_declares_what_must_not_be_run_again() {
    assertThat(read(new Cashier()).declared().get(0).commands())
        .extracting(CommandType::type, CommandType::mayRunAgain)
        .containsExactlyInAnyOrder(
            org.assertj.core.groups.Tuple.tuple("Pay", false),
            org.assertj.core.groups.Tuple.tuple("Count", true));
  }

  @Test
  void a_projector_declares_what_it_consumes_and_answers() {
    var components = read(new Doors());
    var declared = components.declared().get(0);
    assertThat(declared.kind()).isEqualTo(ComponentKind.PROJECTOR);
    assertThat(declared.consumes().contexts()).containsExactly("house");
    assertThat(declared.consumes().types()).containsExactlyInAnyOrder("Built", "Opened", "Closed");
    assertThat(declared.consumes().start()).isEqualTo("beginning");
    assertThat(declared.queries().get(0).view().text()).contains("\"open\"");
    assertThat(components.projectors().get("doors:1").transactional()).isTrue();
  }

  @Nested
  class Registration_is_refused {
    @Test
    void of_what_is_no_component() {
      assertRefused("is no component: annotate it", "text");
    }

    @Test
    void of_an_aggregate_as_an_object() {
      assertRefused("register the class Door.class", new Door(true));
    }

    @Test
    void of_a_projector_as_a_class() {
      assertRefused("register an instance, new Doors(…)", Doors.class);
    }

    @Test
    void of_anything_twice() {
      assertRefused("the aggregate Door is registered twice", Door.class, Door.class);
      assertRefused("the projector doors:1 is registered twice", new Doors(), new Doors());
    }

    @Test
    void of_a_handler_that_needs_a_database_without_one() {
      assertThatThrownBy(() -> Components.of(List.of(new Doors()), new PayloadMapper(), false))
          .hasMessageContaining("Doors.on takes a Connection, but the bundle has no database");
    }
  }

  @Aggregate
  static class NoRecord {}

  @Aggregate
  record NoHandler(int x) {}

  @Aggregate
  record NoId(int x) {
    record Go(String id) {}

    @CommandHandler
    static void go(Go command) {}
  }

  @Aggregate
  record Forgetful(int x) {
    @CommandHandler
    static Decision<DoorEvent> build(Build command) {
      return Decision.nothing();
    }

    @EventSourcingHandler
    static Forgetful built(Built event) {
      return new Forgetful(1);
    }
  }

  @Aggregate
  record Vague(int x) {
    @CommandHandler
    static Decision<?> build(Build command) {
      return Decision.nothing();
    }
  }

  @Aggregate
  record Partial(int x) {
    @CommandHandler
    static void build(Build command) {}

    @CommandHandler
    static void open(Open command) {}
  }

  @Aggregate
  record Twofold(int x) {
    @CommandHandler
    static void one(Build command) {}

    @CommandHandler
    static void other(Build command) {}
  }

  @Aggregate
  record TwiceApplied(int x) {
    @EventSourcingHandler
    static TwiceApplied one(Built event) {
      return new TwiceApplied(1);
    }

    @EventSourcingHandler
    static TwiceApplied other(DoorEvent event) {
      return new TwiceApplied(1);
    }
  }

  @Aggregate
  record WrongState(int x) {
    @EventSourcingHandler
    static String built(Built event) {
      return "";
    }
  }

  @Aggregate
  record WrongParameter(int x) {
    @CommandHandler
    static void build(Build command, Connection connection) {}
  }

  @Aggregate
  record NoPayload(int x) {
    @CommandHandler
    static void build(CommandMetadata metadata) {}
  }

  @Aggregate
  record OpenCommand(int x) {
    @CommandHandler
    static void build(Runnable command) {}
  }

  @Aggregate
  record Unserialisable(int x) {
    record Load(@AggregateId String id, InputStream file) {}

    @CommandHandler
    static void load(Load command) {}
  }

  @Aggregate
  record UnserialisableState(InputStream file) {}

  @Aggregate
  record Misplaced(int x) {
    @EventHandler
    void on(Built event) {}
  }

  @Aggregate(context = "no spaces")
  record BadContext(int x) {
    record Go(@AggregateId String id) {}

    @CommandHandler
    static void go(Go command) {}
  }

  @TypeName("Bad Name")
  @Aggregate
  record BadName(int x) {}

  @Nested
  class An_aggregate_is_refused {
    @Test
    void that_is_no_record() {
      assertRefused("must be a record: it is its own immutable state", NoRecord.class);
    }

    @Test
    void without_a_command_handler() {
      assertRefused("has no @CommandHandler: give it one", NoHandler.class);
    }

    @Test
    void whose_command_does_not_say_which_one_it_is_for() {
      assertRefused("put @AggregateId on the component that holds its id", NoId.class);
    }

    @Test
    void that_cannot_apply_what_its_handlers_may_return() {
      assertRefused(
          "Forgetful.build may return Opened, which no @EventSourcingHandler", Forgetful.class);
    }

    @Test
    void that_does_not_say_which_events_it_returns() {
      assertRefused("say which events, as in Decision<AccountEvent>", Vague.class);
    }

    @Test
    void that_leaves_out_a_command_of_its_sealed_interface() {
      assertRefused(
          "Close is permitted by DoorCommand, but has no @CommandHandler here", Partial.class);
    }

    @Test
    void with_two_handlers_of_one_type() {
      assertRefused("Build has two handlers, Twofold.one and Twofold.other", Twofold.class);
      assertRefused("apply Built: TwiceApplied.one and TwiceApplied.other", TwiceApplied.class);
    }

    @Test
    void whose_event_sourcing_handler_returns_something_else() {
      assertRefused("must return the next state, a WrongState", WrongState.class);
    }

    @Test
    void whose_handler_asks_for_what_it_cannot_be_given() {
      assertRefused("it may take its payload, if static the state", WrongParameter.class);
      assertRefused("must take its payload as the first parameter", NoPayload.class);
    }

    @Test
    void whose_command_is_not_a_closed_set_of_records() {
      assertRefused("a sealed interface that permits records", OpenCommand.class);
    }

    @Test
    void whose_payload_or_state_cannot_be_json() {
      assertRefused("Load.file is a java.io.InputStream", Unserialisable.class);
      assertRefused("UnserialisableState.file is a", UnserialisableState.class);
    }

    @Test
    void with_a_handler_that_belongs_elsewhere() {
      assertRefused("is a @EventHandler, which a @Aggregate cannot have", Misplaced.class);
    }

    @Test
    void with_a_bad_name() {
      assertRefused("context \"no spaces\" of BadContext must start with", BadContext.class);
      assertRefused("give another with @TypeName", BadName.class);
    }
  }

  @Service
  static class Porter {
    @CommandHandler
    String open(Open command) {
      return "done";
    }
  }

  record Pay(String to) {}

  record Count(String till) {}

  @Service
  static class Cashier {
    @CommandHandler(retry = false)
    void pay(Pay command) {}

    @CommandHandler
    void count(Count command) {}
  }

  @Aggregate
  record Once() {
    @CommandHandler(retry = false)
    static Built build(Build command) {
      return new Built();
    }

    @EventSourcingHandler
    static Once built(Built event) {
      return new Once();
    }
  }

  @Service
  static class Idle {}

  @Projector(name = "no spaces")
  static class BadlyNamed {
    @EventHandler
    void on(Built event) {}
  }

  @Projector(name = "old", version = 0)
  static class Unversioned {
    @EventHandler
    void on(Built event) {}
  }

  @Projector(name = "waiting")
  static class Waiting {
    @EventHandler
    CompletionStage<Void> on(Built event, Connection tx) {
      throw new AssertionError();
    }
  }

  @Projector(name = "unsure")
  static class Unsure {
    @EventHandler
    void on(Built event) {}

    @RewindHandler
    void on(Rewound rewound) {}
  }

  @Projector(name = "mistaken")
  static class Mistaken {
    @EventHandler
    void on(Built event, Connection tx) {}

    @RewindHandler
    void back(Built event, Connection tx) {}
  }

  @Projector(name = "deaf")
  static class Deaf {}

  @Projection(projector = "doors")
  static class MuteView {
    @QueryHandler
    void find(FindDoor query) {}
  }

  @Nested
  class Another_component_is_refused {
    @Test
    void without_handlers() {
      assertRefused("has no @CommandHandler", new Idle());
      assertRefused("has no @EventHandler", new Deaf());
    }

    @Test
    void that_handles_what_another_handles() {
      assertRefused("Open has two handlers, Door.change and Porter.open", Door.class, new Porter());
    }

    @Test
    void that_decides_and_must_not_be_retried() {
      assertRefused("Once.build cannot have retry = false, which is for services", Once.class);
    }

    @Test
    void with_a_bad_name_or_version() {
      assertRefused("name \"no spaces\" of BadlyNamed must start", new BadlyNamed());
      assertRefused("version of Unversioned must be 1 or more", new Unversioned());
    }

    @Test
    void that_would_go_on_after_its_transaction() {
      assertRefused("must not return a CompletionStage", new Waiting());
    }

    @Test
    void that_wants_to_be_told_of_lost_events_and_cannot_know_them() {
      assertRefused(
          "no @EventHandler of Unsure takes a Connection: only with a checkpoint in its own",
          new Unsure());
      assertRefused(
          "Mistaken.back is a @RewindHandler: it must not be static and take a Rewound",
          new Mistaken());
    }

    @Test
    void that_answers_nothing() {
      assertRefused("MuteView.find must return the view", new MuteView());
    }
  }
}
