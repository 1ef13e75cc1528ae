package io.evento.server.consumer;

import io.evento.server.RepeatedWarning;
import io.evento.server.consumer.lease.LeaseKeeper;
import io.evento.server.consumer.lease.LeasePasses;
import io.evento.server.consumer.lease.TimerChain;
import jakarta.annotation.PostConstruct;
import jakarta.annotation.Resource;
import jakarta.ejb.ConcurrencyManagement;
import jakarta.ejb.ConcurrencyManagementType;
import jakarta.ejb.SessionContext;
import jakarta.ejb.Singleton;
import jakarta.ejb.Startup;
import jakarta.ejb.Timeout;
import jakarta.ejb.Timer;
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
 *
 * <p>A timer can be lost: its server refuses to arm it while its pool is exhausted or the server is
 * suspended, or somebody cancels it. So {@link LeasePasses} watches it and has it armed again. Its
 * concurrency is its own, or whoever arms it would wait for a pass that stands still.
 */
@Singleton
@Startup
@ConcurrencyManagement(ConcurrencyManagementType.BEAN)
@TransactionManagement(TransactionManagementType.BEAN) // each statement is a transaction of its own
@SuppressWarnings("NullAway.Init") // filled by the container
public class LeaseTimer {
  private static final Logger LOG = System.getLogger(LeaseTimer.class.getName());
  private static final long EVERY_MILLIS = 1_000;

  @Resource private TimerService timers;
  @Resource private SessionContext context;
  @Inject private LeasePasses passes;
  private final RepeatedWarning notKept = new RepeatedWarning(LOG);
  private final RepeatedWarning notArmed = new RepeatedWarning(LOG);
  private final TimerChain chain = new TimerChain(this::create);

  @PostConstruct
  void begin() {
    // By the container's reference: a timer belongs to a call of the bean, and not to a thread.
    var self = context.getBusinessObject(LeaseTimer.class);
    passes.armBy(self::armAgain);
    chain.arm();
  }

  private boolean create(long number) {
    // Armed again after each pass instead of at an interval: with a slow database, passes never
    // pile up. Not persistent: such timers would multiply with every start.
    try {
      timers.createSingleActionTimer(EVERY_MILLIS, new TimerConfig(number, false));
      return true;
    } catch (RuntimeException refused) {
      notArmed.log(() -> "timer not armed, tried again soon cause=" + refused.getMessage());
      return false;
    }
  }

  /**
   * Arms it anew, unless its pass is under way: that one does so at its end.
   *
   * @return whether it did
   */
  public boolean armAgain() {
    var before = timers.getTimers();
    var isArmed = chain.arm();
    if (isArmed) {
      before.forEach(LeaseTimer::cancel);
    }
    return isArmed;
  }

  private static void cancel(Timer superseded) {
    try {
      superseded.cancel();
    } catch (RuntimeException gone) {
      // It comes right now: its pass is one more, and arms nothing.
      LOG.log(Level.DEBUG, () -> "timer not cancelled cause=" + gone.getMessage());
    }
  }

  @Timeout
  void tick(Timer timer) {
    chain.fired((Long) timer.getInfo(), this::pass);
  }

  private void pass() {
    try {
      passes.tick();
    } catch (RuntimeException failure) {
      // Not thrown on: our next pass is the retry, at our pace and not the container's.
      notKept.log(() -> "leases not kept cause=" + failure.getMessage());
    }
  }
}
