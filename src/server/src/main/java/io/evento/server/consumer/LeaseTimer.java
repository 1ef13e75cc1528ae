package io.evento.server.consumer;

import io.evento.server.consumer.lease.LeaseKeeper;
import io.evento.server.consumer.lease.LeasePasses;
import jakarta.annotation.PostConstruct;
import jakarta.annotation.Resource;
import jakarta.ejb.Singleton;
import jakarta.ejb.Startup;
import jakarta.ejb.Timeout;
import jakarta.ejb.TimerConfig;
import jakarta.ejb.TimerService;
import jakarta.ejb.TransactionManagement;
import jakarta.ejb.TransactionManagementType;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/**
 * Ticks {@link LeaseKeeper}, which holds all state and takes all decisions. Servers give a timer no
 * finer than a second; what cannot wait for it is a wake-up of {@link Consumers}.
 */
@Singleton
@Startup
@TransactionManagement(TransactionManagementType.BEAN) // each statement is a transaction of its own
@SuppressWarnings("NullAway.Init") // filled by the container
public class LeaseTimer {
  private static final Logger LOG = System.getLogger(LeaseTimer.class.getName());
  private static final long EVERY_MILLIS = 1_000;

  @Resource private TimerService timers;
  @Inject private LeasePasses passes;

  @PostConstruct
  void arm() {
    // Armed again after each pass instead of at an interval: with a slow database, passes never
    // pile up. Not persistent: such timers would multiply with every start.
    timers.createSingleActionTimer(EVERY_MILLIS, new TimerConfig("leases", false));
  }

  @Timeout
  void tick() {
    try {
      passes.tick();
    } catch (RuntimeException failure) {
      // Not thrown on: our next pass is the retry, at our pace and not the container's.
      LOG.log(Level.WARNING, () -> "leases not kept cause=" + failure.getMessage());
    } finally {
      arm();
    }
  }
}
