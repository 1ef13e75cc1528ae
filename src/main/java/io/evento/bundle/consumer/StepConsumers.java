package io.evento.bundle.consumer;

import io.evento.bundle.dispatch.ObserverType;
import io.evento.bundle.dispatch.SagaType;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.thread.BoundedExecutor;
import io.evento.protocol.ConsumerMessage.Disable;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.Message;
import io.evento.protocol.StepMessage.Steps;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** The segments of all sagas and observers of a bundle. Thread-safe; never waits. */
public final class StepConsumers implements AutoCloseable {
  private static final int AT_WORK_MAX = 64;
  private static final int SEGMENTS_MAX = 128;
  private static final int REACTIONS_WAITING_MAX = 4_096;

  private final Map<String, StepSegment.Decider> deciders = new HashMap<>();
  private final Map<String, StepSegment> segments = new ConcurrentHashMap<>();
  private final BoundedExecutor boundedExecutor;
  private final BoundedExecutor reactions =
      new BoundedExecutor("evento-reaction", AT_WORK_MAX, REACTIONS_WAITING_MAX);

  /**
   * @param sagas by consumer, such as {@code transfer:1}
   * @param observers by consumer
   */
  public StepConsumers(
      Map<String, SagaType> sagas, Map<String, ObserverType> observers, PayloadMapper mapper) {
    this.boundedExecutor =
        new BoundedExecutor(
            "evento-step", AT_WORK_MAX, 2 * SEGMENTS_MAX * (sagas.size() + observers.size() + 1));
    sagas.forEach((consumer, saga) -> deciders.put(consumer, new SagaDecider(saga, mapper)));
    observers.forEach(
        (consumer, observer) ->
            deciders.put(consumer, new ObserverDecider(observer, mapper, reactions)));
  }

  /** Whether this consumer is a saga or observer here. */
  public boolean hosts(String consumer) {
    return deciders.containsKey(consumer);
  }

  /**
   * A segment is given to us.
   *
   * @param answer takes what is said about it
   * @param origin identifies the link, for {@link #lost}
   */
  public void enable(Enable given, Consumer<Message> answer, Object origin) {
    var decider = deciders.get(given.consumer());
    if (decider == null || given.segment() < 0 || given.segment() >= SEGMENTS_MAX) {
      answer.accept(new Disable(given.consumer(), given.segment(), given.fence()));
      return;
    }
    segments
        .computeIfAbsent(
            key(given.consumer(), given.segment()),
            absent -> new StepSegment(decider, boundedExecutor))
        .enable(new Lease(given, answer, origin));
  }

  /** A segment is taken from us. */
  public void disable(Disable taken) {
    var segment = segments.get(key(taken.consumer(), taken.segment()));
    if (segment != null) {
      segment.disable(taken.fence());
    }
  }

  /** Something happened. */
  public void steps(Steps asked) {
    var segment = segments.get(key(asked.consumer(), asked.segment()));
    if (segment != null) {
      segment.steps(asked);
    }
  }

  /** A link is gone, and what was given over it. */
  public void lost(Object origin) {
    segments.values().forEach(segment -> segment.lost(origin));
  }

  /** Gives up every segment as soon as what runs is answered; see {@link #isIdle()}. */
  public void stop() {
    segments.values().forEach(StepSegment::stop);
  }

  public boolean isIdle() {
    return segments.values().stream().allMatch(StepSegment::isIdle);
  }

  private static String key(String consumer, int segment) {
    return consumer + "/" + segment;
  }

  @Override
  public void close() {
    boundedExecutor.close();
    reactions.close();
  }
}
