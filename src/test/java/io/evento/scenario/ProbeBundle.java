package io.evento.scenario;

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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** A bundle inside the test that fails, waits and refuses as it is told. */
final class ProbeBundle implements AutoCloseable {

  record StartProbe(@AggregateId String probeId) {}

  /** Decided once; asked again the handler throws, as it cannot do the same twice. */
  record ProbeOnce(@AggregateId String probeId) {}

  record FailProbe(@AggregateId String probeId, String message) {}

  record RefuseProbe(@AggregateId String probeId) {}

  /** Has nothing to do. */
  record TouchProbe(@AggregateId String probeId) {}

  /** Whose aggregate never answers. */
  record HangProbe(@AggregateId String probeId) {}

  /** Run by a service, until the test lets it go on. */
  record RunProbe(String note) {}

  record FailService(String message) {}

  sealed interface ProbeEvent {}

  record ProbeStarted(String note) implements ProbeEvent {}

  record ProbeDone(String note) implements ProbeEvent {}

  @Aggregate(context = "probe")
  record Probe(int done) {

    @CommandHandler
    static ProbeStarted start(StartProbe command) {
      return new ProbeStarted("");
    }

    @CommandHandler
    ProbeDone once(ProbeOnce command) {
      if (done > 0) {
        throw new IllegalStateException("it was done already");
      }
      return new ProbeDone("");
    }

    @CommandHandler
    static ProbeDone fail(FailProbe command, Probe state) {
      throw new IllegalStateException(command.message());
    }

    @CommandHandler
    static Decision<ProbeEvent> refuse(RefuseProbe command, Probe state) {
      return reject("not-today", "done", state == null ? 0 : state.done);
    }

    @CommandHandler
    static Decision<ProbeEvent> touch(TouchProbe command, Probe state) {
      return nothing();
    }

    @CommandHandler
    static CompletionStage<Decision<ProbeEvent>> hang(HangProbe command, Probe state) {
      return new CompletableFuture<Decision<ProbeEvent>>()
          .thenApply(never -> accept(new ProbeDone("")));
    }

    @EventSourcingHandler
    static Probe started(ProbeStarted event) {
      return new Probe(0);
    }

    @EventSourcingHandler
    Probe done(ProbeDone event) {
      return new Probe(done + 1);
    }
  }

  /** Counts its runs, and those that go on at the same time. */
  @Service(context = "probe")
  static final class Runner {
    private final AtomicInteger runs = new AtomicInteger();
    private volatile CompletableFuture<String> end = new CompletableFuture<>();

    @CommandHandler
    CompletionStage<String> run(RunProbe command) {
      runs.incrementAndGet();
      return end.thenApply(said -> command.note() + said);
    }

    @CommandHandler
    String fail(FailService command) {
      throw new UnsupportedOperationException(command.message());
    }

    int runs() {
      return runs.get();
    }

    /** Lets all runs end, and those that come. */
    void letGo(String said) {
      end.complete(said);
    }
  }

  private final Runner runner = new Runner();
  private final EventoBundle bundle;

  private ProbeBundle(String[] servers) {
    bundle = EventoBundle.named("probe").connect(servers).register(Probe.class, runner).start();
  }

  /** Connected to every node. */
  static ProbeBundle start(Cluster cluster) {
    return new ProbeBundle(cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new));
  }

  Runner runner() {
    return runner;
  }

  EventoBundle bundle() {
    return bundle;
  }

  @Override
  public void close() {
    runner.letGo("");
    bundle.close();
  }
}
