package io.evento.server.consumer.lease;

import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.Printable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Hosts;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.persistence.UncheckedSqlException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.HashMap;
import java.util.Map;

/**
 * Makes consumers known that bundles host, once each and again when they want something else.
 * Called by one thread at a time, but for {@link #anew}.
 */
final class Declarations {
  private static final Logger LOG = System.getLogger(Declarations.class.getName());

  private final ConsumerTable consumers;
  private final OrderReader reader;
  private final Map<ConsumerId, Component> declared = new HashMap<>();

  /** The store has another past: what was declared may not be in it. */
  private volatile boolean isAnew;

  Declarations(ConsumerTable consumers, OrderReader reader) {
    this.consumers = consumers;
    this.reader = reader;
  }

  /** Has the next pass declare everything once more. May be called by any thread. */
  void anew() {
    isAnew = true;
  }

  /**
   * Declares what is hosted and was not declared as it is now.
   *
   * @throws UncheckedSqlException if the database does not answer; what it refuses is logged
   */
  void declare(Map<ConsumerId, Hosts.Of> hosted) {
    if (isAnew) {
      isAnew = false;
      declared.clear();
    }
    declared.keySet().retainAll(hosted.keySet());
    hosted.forEach(
        (consumer, of) -> {
          var consumes = of.component().consumes();
          if (consumes != null && !isDeclared(consumer, consumes)) {
            declare(consumer, of.component(), consumes);
            declared.put(consumer, of.component());
          }
        });
  }

  /** Has the next pass declare a consumer once more, as it may have been retired. */
  void forget(ConsumerId consumer) {
    declared.remove(consumer);
  }

  private void declare(ConsumerId consumer, Component component, Consumption consumes) {
    try {
      var head = reader.head();
      var start = consumes.start().equals("end") ? head : head.at(0);
      if (consumers.declare(component, consumes, start)) {
        LOG.log(Level.INFO, () -> "consumer is new consumer=" + consumer);
      }
    } catch (UncheckedSqlException refused) {
      if (!refused.state().startsWith("22") && !refused.state().startsWith("23")) {
        throw refused;
      }
      // One bundle's nonsense must not keep the others from their segments.
      LOG.log(
          Level.WARNING,
          () ->
              "consumer refused consumer="
                  + consumer
                  + " cause="
                  + Printable.log(refused.getMessage()));
    }
  }

  private boolean isDeclared(ConsumerId consumer, Consumption consumes) {
    var known = declared.get(consumer);
    return known != null && consumes.equals(known.consumes());
  }
}
