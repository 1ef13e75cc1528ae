package io.evento.server.consumer.delivery;

import java.util.function.Consumer;

/** Makes what serves the session of a delivery, by what its consumer is: told, or asked. */
public interface DeliveryFactory {
  /**
   * Once, before any delivery.
   *
   * @param deliveryThread runs something on the delivery thread
   */
  void start(Consumer<Runnable> deliveryThread);

  /** The sender of a delivery that begins; its session is given nothing yet. */
  Sender sender(Delivery delivery, BlockingReads reads);
}
