package io.evento.server.consumer.step;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.delivery.BlockingReads;
import io.evento.server.consumer.delivery.DeadLetterWrites;
import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.delivery.DeliveryFactory;
import io.evento.server.consumer.delivery.EventSender;
import io.evento.server.consumer.delivery.Sender;
import jakarta.inject.Inject;
import java.util.function.Consumer;

/** Tells projectors their events, and asks sagas and observers for their steps. */
@NodeScoped
public class Senders implements DeliveryFactory {
  private final StepLoader loader;
  private final StepStore store;
  private final StepParking parking;
  private final DeadLetterTable letters;
  private final DeadLetterWrites writes;
  private final StepWork work;

  @Inject
  public Senders(
      StepLoader loader,
      StepStore store,
      StepParking parking,
      DeadLetterTable letters,
      DeadLetterWrites writes,
      Threads threads) {
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
    return delivery.filter().steps()
        ? new StepSender(delivery, work, loader, store, parking, writes)
        : new EventSender(delivery, letters, writes, reads);
  }
}
