package io.evento.scenario.workload;

import static io.evento.bundle.api.Decision.accept;
import static io.evento.bundle.api.Decision.reject;
import static io.evento.bundle.api.Step.to;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.Associate;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.CommandOutcome;
import io.evento.bundle.api.Deadline;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.Observer;
import io.evento.bundle.api.Outcome;
import io.evento.bundle.api.Projector.Start;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.SagaStart;
import io.evento.bundle.api.Step;
import io.evento.scenario.fixture.Cluster;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A bundle inside the test: a saga that walks through a few rounds, each a command to another
 * aggregate, and would decide something else each time it is asked; an observer; and something to
 * schedule.
 */
public final class SagaBundle implements AutoCloseable {
  public static final int ROUNDS = 3;

  public record StartWalk(@AggregateId String walkId, boolean isStuck) {}

  public record EndWalk(@AggregateId String walkId, String how) {}

  public record Stamp(@AggregateId String stampId, int round, long dice) {}

  public record Greet(@AggregateId String greetingId) {}

  public sealed interface WalkEvent {}

  public record WalkStarted(String walkId, boolean isStuck) implements WalkEvent {}

  public record WalkEnded(String walkId, String how) implements WalkEvent {}

  @Aggregate(context = "walk")
  public record Walk(boolean isEnded) {
    @CommandHandler
    public static WalkStarted start(StartWalk command) {
      return new WalkStarted(command.walkId(), command.isStuck());
    }

    @CommandHandler
    public Decision<WalkEvent> end(EndWalk command) {
      return isEnded
          ? reject("ended-already")
          : accept(new WalkEnded(command.walkId(), command.how()));
    }

    @EventSourcingHandler
    public static Walk started(WalkStarted event) {
      return new Walk(false);
    }

    @EventSourcingHandler
    public Walk ended(WalkEnded event) {
      return new Walk(true);
    }
  }

  public record Stamped(int round, long dice) {}

  @Aggregate(context = "walk")
  public record StampCard(int stamps) {
    @CommandHandler
    public static Decision<Stamped> stamp(Stamp command, StampCard state) {
      return command.round() < 0
          ? reject("no-such-round")
          : accept(new Stamped(command.round(), command.dice()));
    }

    @EventSourcingHandler
    public static StampCard stamped(Stamped event, StampCard before) {
      return new StampCard(before == null ? 1 : before.stamps + 1);
    }
  }

  public record Greeted() {}

  /** Never refuses: a command that took effect twice is there twice. */
  @Aggregate(context = "walk")
  public record Greeting(int times) {
    @CommandHandler
    public static Greeted greet(Greet command, Greeting state) {
      return new Greeted();
    }

    @EventSourcingHandler
    public static Greeting greeted(Greeted event, Greeting before) {
      return new Greeting(before == null ? 1 : before.times + 1);
    }
  }

  public record WalkState(String walkId, int round, long lastDice) {}

  @Saga(name = "walks", context = "walk", state = WalkState.class)
  public static final class Walks {
    @SagaStart
    @Associate("walkId")
    public Step<WalkState> on(WalkStarted event) {
      var step = to(new WalkState(event.walkId(), 1, 0));
      return event.isStuck()
          ? step.deadline("hang", Duration.ofSeconds(3))
          : step.deadline("hang", Duration.ofMinutes(10)).send(stamp(event.walkId(), 1));
    }

    @Outcome
    public Step<WalkState> stamped(Stamp command, CommandOutcome outcome, WalkState state) {
      if (command.round() < 0) {
        return to(state).send(new EndWalk(state.walkId(), outcome.reason())).cancel("hang");
      }
      var next = state.round() + 1;
      return next > ROUNDS
          ? to(new WalkState(state.walkId(), next, command.dice()))
              .send(stamp(state.walkId(), -1))
              .deadline("hang", Duration.ofMinutes(10))
          : to(new WalkState(state.walkId(), next, command.dice()))
              .send(stamp(state.walkId(), next))
              .deadline("hang", Duration.ofMinutes(10));
    }

    @Deadline("hang")
    public Step<WalkState> hangs(WalkState state) {
      return to(state).send(new EndWalk(state.walkId(), "hung"));
    }

    @EventHandler
    @Associate("walkId")
    public Step<WalkState> ended(WalkEnded event, WalkState state) {
      return Step.end();
    }

    /** Would be another command each time that it is decided. */
    private static Stamp stamp(String walk, int round) {
      return new Stamp("card-" + walk, round, ThreadLocalRandom.current().nextLong(1 << 30));
    }
  }

  @Observer(name = "greeters", context = "walk", start = Start.BEGINNING)
  public static final class Greeters {
    @EventHandler
    public Greet on(WalkEnded event, EventMetadata at) {
      return new Greet("end-" + event.walkId());
    }
  }

  private final EventoBundle bundle;

  private SagaBundle(String[] servers) {
    bundle =
        EventoBundle.named("walks")
            .connect(servers)
            .register(Walk.class, StampCard.class, Greeting.class, new Walks(), new Greeters())
            .start();
  }

  /** Connected to every node. */
  public static SagaBundle start(Cluster cluster) {
    return new SagaBundle(cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new));
  }

  public EventoBundle bundle() {
    return bundle;
  }

  @Override
  public void close() {
    bundle.close();
  }
}
