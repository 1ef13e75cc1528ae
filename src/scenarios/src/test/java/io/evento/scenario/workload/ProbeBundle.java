package io.evento.scenario.workload;

import static io.evento.bundle.api.Decision.accept;
import static io.evento.bundle.api.Decision.nothing;
import static io.evento.bundle.api.Decision.reject;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.Service;
import io.evento.scenario.fixture.Cluster;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** A bundle inside the test that fails, waits and refuses as it is told. */
public final class ProbeBundle implements AutoCloseable {

  public record StartProbe(@AggregateId String probeId) {}

  /** Decided once; asked again the handler throws, as it cannot do the same twice. */
  public record ProbeOnce(@AggregateId String probeId) {}

  public record FailProbe(@AggregateId String probeId, String message) {}

  public record RefuseProbe(@AggregateId String probeId) {}

  /** Has nothing to do. */
  public record TouchProbe(@AggregateId String probeId) {}

  /** Whose aggregate never answers. */
  public record HangProbe(@AggregateId String probeId) {}

  /** Run by a service, until the test lets it go on. */
  public record RunProbe(String note) {}

  public record FailService(String message) {}

  public sealed interface ProbeEvent {}

  public record ProbeStarted(String note) implements ProbeEvent {}

  public record ProbeDone(String note) implements ProbeEvent {}

  @Aggregate(context = "probe")
  public record Probe(int done) {

    @CommandHandler
    public static ProbeStarted start(StartProbe command) {
      return new ProbeStarted("");
    }

    @CommandHandler
    public ProbeDone once(ProbeOnce command) {
      if (done > 0) {
        throw new IllegalStateException("it was done already");
      }
      return new ProbeDone("");
    }

    @CommandHandler
    public static ProbeDone fail(FailProbe command, Probe state) {
      throw new IllegalStateException(command.message());
    }

    @CommandHandler
    public static Decision<ProbeEvent> refuse(RefuseProbe command, Probe state) {
      return reject("not-today", "done", state == null ? 0 : state.done);
    }

    @CommandHandler
    public static Decision<ProbeEvent> touch(TouchProbe command, Probe state) {
      return nothing();
    }

    @CommandHandler
    public static CompletionStage<Decision<ProbeEvent>> hang(HangProbe command, Probe state) {
      return new CompletableFuture<Decision<ProbeEvent>>()
          .thenApply(never -> accept(new ProbeDone("")));
    }

    @EventSourcingHandler
    public static Probe started(ProbeStarted event) {
      return new Probe(0);
    }

    @EventSourcingHandler
    public Probe done(ProbeDone event) {
      return new Probe(done + 1);
    }
  }

  /** Counts its runs, and those that go on at the same time. */
  @Service(context = "probe")
  public static final class Runner {
    private final AtomicInteger runs = new AtomicInteger();
    private volatile CompletableFuture<String> end = new CompletableFuture<>();

    @CommandHandler
    public CompletionStage<String> run(RunProbe command) {
      runs.incrementAndGet();
      return end.thenApply(said -> command.note() + said);
    }

    @CommandHandler
    public String fail(FailService command) {
      throw new UnsupportedOperationException(command.message());
    }

    public int runs() {
      return runs.get();
    }

    /** Lets all runs end, and those that come. */
    public void letGo(String said) {
      end.complete(said);
    }
  }

  private final Runner runner = new Runner();
  private final EventoBundle bundle;

  private ProbeBundle(String[] servers) {
    bundle = EventoBundle.named("probe").connect(servers).register(Probe.class, runner).start();
  }

  /** Connected to every node. */
  public static ProbeBundle start(Cluster cluster) {
    return new ProbeBundle(cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new));
  }

  public Runner runner() {
    return runner;
  }

  public EventoBundle bundle() {
    return bundle;
  }

  @Override
  public void close() {
    runner.letGo("");
    bundle.close();
  }
}
