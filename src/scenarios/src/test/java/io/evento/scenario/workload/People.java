package io.evento.scenario.workload;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.Associate;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Deadline;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.Observer;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.SagaStart;
import io.evento.bundle.api.Service;
import io.evento.bundle.api.Step;
import io.evento.bundle.personal.Personal;
import io.evento.bundle.personal.SubjectErased;
import io.evento.scenario.fixture.Cluster;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A bundle that keeps a name in all the ways there are: events, states, a saga, commands that wait
 * in the outbox and in schedules, results, dead letters.
 */
public final class People {
  private People() {}

  public record Register(@AggregateId String person, @Personal(subject = "/person") String name) {}

  public record GreetPerson(@AggregateId String person) {}

  public record Registered(@Personal(subject = Personal.AGGREGATE) String name) {}

  public record PersonGreeted(String person, @Personal(subject = "/person") String words) {}

  public record Card(String person, @Personal(subject = "/person") String name) {}

  /** Nobody handles it, so it waits in the outbox. */
  public record PrintCard(@AggregateId String person, @Personal(subject = "/person") String name) {}

  public record Look(String person, @Personal(subject = "/person") String name) {}

  public record NameOf(String person) {}

  public record NameView(String name) {}

  public record Visit(String person, @Personal(subject = "/person") String name) {}

  /** Decides. */
  @Aggregate(context = "people", snapshotEvery = 1)
  public record Person(@Personal(subject = Personal.AGGREGATE) String name) {
    @CommandHandler
    public static Decision<Registered> register(Register command) {
      return Decision.reply(
          new Card(command.person(), command.name()), new Registered(command.name()));
    }

    @CommandHandler
    public PersonGreeted greet(GreetPerson command) {
      return new PersonGreeted(command.person(), name);
    }

    @EventSourcingHandler
    public static Person registered(Registered event) {
      return new Person(event.name());
    }

    @EventSourcingHandler
    public Person greeted(PersonGreeted event) {
      return this;
    }
  }

  /** Keeps names, and removes those of who is erased. */
  @Projector(
      name = "names",
      context = {"people", SubjectErased.CONTEXT})
  public static final class Names {
    private final Map<String, String> names;

    public Names(Map<String, String> names) {
      this.names = names;
    }

    @EventHandler
    public void on(Registered event, EventMetadata at) {
      names.put(at.aggregateId(), event.name());
    }

    @EventHandler
    public void on(SubjectErased event) {
      names.remove(event.subject());
    }

    @QueryHandler
    public NameView find(NameOf query) {
      return new NameView(names.getOrDefault(query.person(), "nobody"));
    }
  }

  /** Fails on each greeting, with its words. */
  @Projector(name = "strict", context = "people")
  public static final class Strict {
    @EventHandler
    public void on(PersonGreeted event) {
      throw new IllegalStateException("does not like " + event.words());
    }
  }

  /** Sends what nobody handles. */
  @Observer(name = "printer", context = "people")
  public static final class Printer {
    @EventHandler
    public PrintCard on(Registered event, EventMetadata at) {
      return new PrintCard(at.aggregateId(), event.name());
    }
  }

  /** Keeps the name until its deadline. */
  @Saga(name = "visits", context = "people", state = Visit.class)
  public static final class Visits {
    @SagaStart
    @Associate
    public Step<Visit> on(Registered event, EventMetadata at) {
      return Step.to(new Visit(at.aggregateId(), event.name()))
          .deadline("late", Duration.ofDays(1));
    }

    @Deadline("late")
    public Step<Visit> late() {
      return Step.end();
    }
  }

  /** Answers with the name, which is kept for repeats. */
  @Service(context = "people")
  public static final class Looks {
    @CommandHandler
    public Card look(Look command) {
      return new Card(command.person(), command.name());
    }
  }

  /**
   * Comes later and reads everything from the beginning.
   *
   * @param names that it met, by person
   */
  @Projector(name = "late-names", context = "people")
  public static final class LateNames {
    private final Map<String, String> names;

    public LateNames(Map<String, String> names) {
      this.names = names;
    }

    @EventHandler
    public void on(Registered event, EventMetadata at) {
      names.put(at.aggregateId(), event.name());
    }
  }

  public static EventoBundle start(Cluster cluster, Map<String, String> names) {
    return bundle(cluster, "people")
        .register(
            Person.class, new Names(names), new Strict(), new Printer(), new Visits(), new Looks())
        .start();
  }

  public static EventoBundle startLate(Cluster cluster, Map<String, String> names) {
    return bundle(cluster, "late-people").register(new LateNames(names)).start();
  }

  public static Map<String, String> noNames() {
    return new ConcurrentHashMap<>();
  }

  private static EventoBundle.Builder bundle(Cluster cluster, String name) {
    return EventoBundle.named(name)
        .connect(cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new));
  }
}
