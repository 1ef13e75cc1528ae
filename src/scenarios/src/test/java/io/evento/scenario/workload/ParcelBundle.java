package io.evento.scenario.workload;

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
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Parcels inside the test: a saga tells the customer of each scan, and notes what it was given. Of
 * a watched parcel it notes too when it is late. It fails on what a test has broken.
 */
public final class ParcelBundle implements AutoCloseable {
  public static final String SAGA = "parcels";

  public record ScanParcel(@AggregateId String parcelId, int scan, boolean isWatched) {}

  public record ParcelScanned(String parcelId, int scan, boolean isWatched) {}

  @Aggregate(context = "parcel")
  public record Parcel(int scans) {
    @CommandHandler
    public static ParcelScanned scan(ScanParcel command, Parcel state) {
      return new ParcelScanned(command.parcelId(), command.scan(), command.isWatched());
    }

    @EventSourcingHandler
    public static Parcel scanned(ParcelScanned event, Parcel before) {
      return new Parcel(before == null ? 1 : before.scans + 1);
    }
  }

  public record TellCustomer(@AggregateId String noticeId, int scan) {}

  public record CustomerTold() {}

  /** Never refuses: a customer who is told twice has heard it twice. */
  @Aggregate(context = "parcel")
  public record Notice(int times) {
    @CommandHandler
    public static CustomerTold tell(TellCustomer command, Notice state) {
      return new CustomerTold();
    }

    @EventSourcingHandler
    public static Notice told(CustomerTold event, Notice before) {
      return new Notice(before == null ? 1 : before.times + 1);
    }
  }

  /**
   * @param story what it was given, in order: {@code scan 1}, {@code told 1}, {@code late}
   */
  public record ParcelState(String parcelId, List<String> story) {
    public ParcelState after(String what) {
      var longer = new ArrayList<>(story);
      longer.add(what);
      return new ParcelState(parcelId, longer);
    }
  }

  @Saga(name = SAGA, context = "parcel", state = ParcelState.class, segments = 2)
  public static final class Parcels {
    private final Set<String> broken = ConcurrentHashMap.newKeySet();

    @SagaStart
    @Associate("parcelId")
    public Step<ParcelState> first(ParcelScanned event) {
      var step = scanned(event, new ParcelState(event.parcelId(), List.of()));
      return event.isWatched() ? step.deadline("late", Duration.ofMillis(200)) : step;
    }

    @EventHandler
    @Associate("parcelId")
    public Step<ParcelState> scanned(ParcelScanned event, ParcelState state) {
      failIfBroken("scan", state);
      return to(state.after("scan " + event.scan()))
          .send(new TellCustomer(event.parcelId() + "-" + event.scan(), event.scan()));
    }

    @Outcome
    public Step<ParcelState> told(TellCustomer command, CommandOutcome outcome, ParcelState state) {
      failIfBroken("told", state);
      return to(state.after("told " + command.scan()));
    }

    @Deadline("late")
    public Step<ParcelState> late(ParcelState state) {
      failIfBroken("late", state);
      return to(state.after("late"));
    }

    private void failIfBroken(String what, ParcelState state) {
      if (broken.contains(what + " " + state.parcelId())) {
        throw new IllegalStateException("cannot bear " + what + " of " + state.parcelId());
      }
    }
  }

  private final Parcels saga = new Parcels();
  private final EventoBundle bundle;

  private ParcelBundle(Cluster cluster) {
    bundle =
        EventoBundle.named("parcels")
            .connect(cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new))
            .register(Parcel.class, Notice.class, saga)
            .start();
  }

  /** Connected to every node. */
  public static ParcelBundle start(Cluster cluster) {
    return new ParcelBundle(cluster);
  }

  /**
   * From now on the saga fails on this.
   *
   * @param what {@code scan}, {@code told} or {@code late}
   */
  public void breakOn(String what, String parcel) {
    saga.broken.add(what + " " + parcel);
  }

  /** As if a better handler had been deployed. */
  public void repair() {
    saga.broken.clear();
  }

  @Override
  public void close() {
    bundle.close();
  }
}
