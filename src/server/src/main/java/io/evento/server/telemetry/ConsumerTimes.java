package io.evento.server.telemetry;

import java.time.Duration;
import java.time.Instant;

/** Records what one consumer does with its events. Thread-safe. */
public final class ConsumerTimes {
  /** Older events are history that is caught up with: they tell nothing of how fresh one is. */
  private static final Duration HISTORY = Duration.ofMinutes(1);

  private final Telemetry telemetry;
  private final String consumer;

  ConsumerTimes(Telemetry telemetry, String consumer) {
    this.telemetry = telemetry;
    this.consumer = consumer;
  }

  /** For what nobody measures. */
  public static ConsumerTimes unmeasured() {
    var telemetry = new Telemetry();
    telemetry.configure(false, 0);
    return new ConsumerTimes(telemetry, "");
  }

  /**
   * An event was handled.
   *
   * @param recordedAt when the store took it, by the database's clock
   * @param handlerNanos between handing it over and hearing that it is done
   */
  public void done(String type, Instant recordedAt, long handlerNanos) {
    telemetry.consumed(consumer, type, handlerNanos);
    var age = Duration.between(recordedAt, Instant.now());
    if (age.compareTo(HISTORY) < 0) {
      var total = Math.max(age.toNanos(), handlerNanos);
      telemetry.tookOfConsumer(consumer, type, Phase.TOTAL, total);
      telemetry.tookOfConsumer(consumer, type, Phase.QUEUE, total - handlerNanos);
    }
  }

  /** The same for what no store took, such as a deadline. */
  public void done(String type, long handlerNanos) {
    telemetry.consumed(consumer, type, handlerNanos);
  }

  /** What was decided about an event was stored. */
  public void stored(String type, long nanos) {
    telemetry.tookOfConsumer(consumer, type, Phase.COMMIT, nanos);
  }

  /** A command was stored to be sent, upon something of a type. */
  public void sent(String upon, String command) {
    telemetry.sentByConsumer(consumer, upon, command);
  }

  /** The handler failed on an event, each try. */
  public void failed(String type, String code) {
    telemetry.failedOfConsumer(consumer, type, code);
  }
}
