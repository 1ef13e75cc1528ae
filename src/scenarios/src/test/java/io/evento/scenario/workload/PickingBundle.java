package io.evento.scenario.workload;

import static io.evento.bundle.api.Step.stay;
import static io.evento.bundle.api.Step.to;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.Associate;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.CommandOutcome;
import io.evento.bundle.api.Deadline;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.Outcome;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.SagaStart;
import io.evento.bundle.api.Step;
import io.evento.scenario.fixture.Cluster;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A warehouse inside the test. Each line that is added to a basket is to be picked once, and packed
 * once when it was picked; each basket is labelled once, a moment after its first line. A saga of
 * two versions leads that. No job refuses: one that is asked for twice is there twice.
 */
public final class PickingBundle implements AutoCloseable {
  public static final String SAGA = "picking";

  public record AddToBasket(@AggregateId String basketId, int line) {}

  public record AddedToBasket(String basketId, int line) {}

  @Aggregate(context = "picking")
  public record Basket(int lines) {
    @CommandHandler
    public static AddedToBasket add(AddToBasket command, Basket state) {
      return new AddedToBasket(command.basketId(), command.line());
    }

    @EventSourcingHandler
    public static Basket added(AddedToBasket event, Basket before) {
      return new Basket(before == null ? 1 : before.lines + 1);
    }
  }

  public record PickLine(@AggregateId String jobId, String basketId, int line) {}

  public record PackLine(@AggregateId String jobId) {}

  public record LabelBasket(@AggregateId String jobId) {}

  public record JobDone() {}

  @Aggregate(context = "picking")
  public record Job(int times) {
    @CommandHandler
    public static JobDone pick(PickLine command, Job state) {
      return new JobDone();
    }

    @CommandHandler
    public static JobDone pack(PackLine command, Job state) {
      return new JobDone();
    }

    @CommandHandler
    public static JobDone label(LabelBasket command, Job state) {
      return new JobDone();
    }

    @EventSourcingHandler
    public static Job done(JobDone event, Job before) {
      return new Job(before == null ? 1 : before.times + 1);
    }
  }

  public record PickingState(String basketId, int lines) {}

  /** What both versions do alike. */
  public abstract static class Picking {
    private static final long HELD_UP_SECONDS_MAX = 20;

    private final CountDownLatch begins;

    public Picking(CountDownLatch begins) {
      this.begins = begins;
    }

    @SagaStart
    @Associate("basketId")
    public Step<PickingState> first(AddedToBasket event) {
      return added(event, 1).deadline("label", Duration.ofMillis(300));
    }

    @EventHandler
    @Associate("basketId")
    public Step<PickingState> next(AddedToBasket event, PickingState state) {
      return added(event, state.lines() + 1);
    }

    private Step<PickingState> added(AddedToBasket event, int lines) {
      awaitBeginning();
      var basket = event.basketId();
      return to(new PickingState(basket, lines))
          .send(new PickLine("pick-" + basket + "-" + event.line(), basket, event.line()));
    }

    private void awaitBeginning() {
      try {
        if (!begins.await(HELD_UP_SECONDS_MAX, TimeUnit.SECONDS)) {
          throw new IllegalStateException("nobody lets it begin");
        }
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(stopped);
      }
    }

    @Outcome
    public Step<PickingState> picked(PickLine command, CommandOutcome outcome) {
      if (!outcome.isDone()) {
        throw new IllegalStateException("not picked: " + outcome);
      }
      return Step.<PickingState>stay()
          .send(new PackLine("pack-" + command.basketId() + "-" + command.line()));
    }

    @Outcome
    public Step<PickingState> packed(PackLine command) {
      return stay();
    }

    @Deadline("label")
    public Step<PickingState> unlabelled(PickingState state) {
      return Step.<PickingState>stay().send(new LabelBasket("label-" + state.basketId()));
    }
  }

  @Saga(name = SAGA, version = 1, context = "picking", state = PickingState.class, segments = 4)
  public static final class PickingOne extends Picking {
    public PickingOne() {
      super(new CountDownLatch(0));
    }
  }

  @Saga(name = SAGA, version = 2, context = "picking", state = PickingState.class, segments = 4)
  public static final class PickingTwo extends Picking {
    public PickingTwo(CountDownLatch begins) {
      super(begins);
    }
  }

  private final EventoBundle bundle;

  private PickingBundle(EventoBundle bundle) {
    this.bundle = bundle;
  }

  /** The warehouse with the first version, connected to every node. */
  public static PickingBundle first(Cluster cluster) {
    return new PickingBundle(
        EventoBundle.named("picking")
            .connect(servers(cluster))
            .register(Basket.class, Job.class, new PickingOne())
            .start());
  }

  /**
   * The second version alone, connected to every node.
   *
   * @param begins holds it up with its first event
   */
  public static PickingBundle second(Cluster cluster, CountDownLatch begins) {
    return new PickingBundle(
        EventoBundle.named("picking")
            .connect(servers(cluster))
            .register(new PickingTwo(begins))
            .start());
  }

  private static String[] servers(Cluster cluster) {
    return cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new);
  }

  @Override
  public void close() {
    bundle.close();
  }
}
