package io.evento.server.consumer.step;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.delivery.BlockingReads;
import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.delivery.DeliveryFactory;
import io.evento.server.consumer.delivery.EventSender;
import io.evento.server.consumer.delivery.FencedDeadLetters;
import io.evento.server.consumer.delivery.Sender;
import io.evento.server.telemetry.Metrics;
import io.evento.server.telemetry.Telemetry;
import jakarta.inject.Inject;
import java.util.function.Consumer;

/** Tells projectors their events, and asks sagas and observers for their steps. */
@NodeScoped
public class Senders implements DeliveryFactory {
  private final StepLoader loader;
  private final StepStore store;
  private final StepParking parking;
  private final DeadLetterTable letters;
  private final FencedDeadLetters writes;
  private final StepWork work;
  private final Telemetry telemetry;

  @Inject
  public Senders(
      StepLoader loader,
      StepStore store,
      StepParking parking,
      DeadLetterTable letters,
      FencedDeadLetters writes,
      Metrics metrics,
      Threads threads) {
    this.telemetry = metrics.telemetry();
    this.loader = loader;
    this.store = store;
    this.parking = parking;
    this.letters = letters;
    this.writes = writes;
    this.work = new StepWork(threads);
  }

  @Override
  public void start(Consumer<Runnable> deliveryThread) {
    work.start(deliveryThread);
  }

  @Override
  public Sender sender(Delivery delivery, BlockingReads reads) {
    var times = telemetry.consumer(delivery.lease().segment().consumer().wire());
    return delivery.filter().steps()
        ? new StepSender(delivery, work, loader, store, parking, writes, times)
        : new EventSender(delivery, letters, writes, reads, times);
  }
}
