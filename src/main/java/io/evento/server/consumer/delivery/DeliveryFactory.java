package io.evento.server.consumer.delivery;

import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.routing.session.BundleSession;
import java.util.function.Consumer;

/** Makes what delivers a segment, by what its consumer is: a projector is told, a step is asked. */
public interface DeliveryFactory {
  /**
   * Once, before any delivery.
   *
   * @param deliveryThread runs something on the delivery thread
   */
  void start(Consumer<Runnable> deliveryThread);

  Delivery create(Lease lease, BundleSession session, Filter filter);
}
