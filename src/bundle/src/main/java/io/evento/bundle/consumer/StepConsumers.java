package io.evento.bundle.consumer;

import io.evento.bundle.dispatch.ObserverType;
import io.evento.bundle.dispatch.SagaType;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.thread.BoundedExecutor;
import io.evento.bundle.thread.Threads;
import io.evento.protocol.ConsumerMessage.Disable;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.Message;
import io.evento.protocol.StepMessage.Steps;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The segments of all sagas and observers of a bundle. Thread-safe; never waits. */
public final class StepConsumers implements AutoCloseable {
  private static final int AT_WORK_MAX = 64;
  private static final int REACTIONS_WAITING_MAX = 4_096;

  private final Segments<StepSegment> segments;
  private final BoundedExecutor boundedExecutor;
  private final BoundedExecutor reactions;

  /**
   * @param sagas by consumer, such as {@code transfer:1}
   * @param observers by consumer
   * @param threads that handlers run on
   */
  public StepConsumers(
      Map<String, SagaType> sagas,
      Map<String, ObserverType> observers,
      PayloadMapper mapper,
      Threads threads) {
    reactions = new BoundedExecutor("evento-reaction", AT_WORK_MAX, REACTIONS_WAITING_MAX, threads);
    boundedExecutor =
        new BoundedExecutor(
            "evento-step",
            AT_WORK_MAX,
            2 * Segments.MAX * (sagas.size() + observers.size() + 1),
            threads);
    var deciders = new HashMap<String, StepSegment.Decider>();
    sagas.forEach((consumer, saga) -> deciders.put(consumer, new SagaDecider(saga, mapper)));
    observers.forEach(
        (consumer, observer) ->
            deciders.put(consumer, new ObserverDecider(observer, mapper, reactions)));
    var hosted = new HashMap<String, Supplier<StepSegment>>();
    deciders.forEach(
        (consumer, decider) ->
            hosted.put(consumer, () -> new StepSegment(decider, boundedExecutor)));
    segments = new Segments<>(hosted);
  }

  /** Whether this consumer is a saga or observer here. */
  public boolean hosts(String consumer) {
    return segments.hosts(consumer);
  }

  /**
   * A segment is given to us.
   *
   * @param answer takes what is said about it
   * @param origin identifies the link, for {@link #lost}
   */
  public void enable(Enable given, Consumer<Message> answer, Object origin) {
    segments.enable(new Lease(given, answer, origin));
  }

  /**
   * A segment is taken from us.
   *
   * @param origin identifies the link, as of {@link #enable}
   */
  public void disable(Disable taken, Object origin) {
    segments.disable(taken, origin);
  }

  /** Something happened. */
  public void steps(Steps asked) {
    segments.of(asked.consumer(), asked.segment()).ifPresent(segment -> segment.steps(asked));
  }

  /** A link is gone, and what was given over it. */
  public void lost(Object origin) {
    segments.lost(origin);
  }

  /** Gives up every segment as soon as what runs is answered; see {@link #isIdle()}. */
  public void stop() {
    segments.stop();
  }

  public boolean isIdle() {
    return segments.isIdle();
  }

  @Override
  public void close() {
    boundedExecutor.close();
    reactions.close();
  }
}
