package io.evento.scenario.chaos.fault;

import io.evento.scenario.fixture.Standby;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The primary is lost, an operator promotes its standby, and the former primary comes back as the
 * standby of the new one, so that the next promotion goes the other way.
 *
 * <p>While the former primary is rebuilt no commit waits for a standby: the operator serves rather
 * than waits, as Patroni does. Nothing is promoted in that time, so nothing that was acknowledged
 * is lost.
 */
final class Promotion {
  private static final long CUT_MILLIS = 1_000;
  private static final int AWAKE_MILLIS_MIN = 1_000;
  private static final int AWAKE_MILLIS_MAX = 3_000;

  private final Standby standby;
  private final CountDownLatch stopped;

  /**
   * @param stopped ends whatever lasts
   */
  Promotion(Standby standby, CountDownLatch stopped) {
    this.standby = standby;
    this.stopped = stopped;
  }

  void bring(Hit hit) throws Exception {
    // A standby that does not have all must not be promoted.
    standby.awaitSynchronous();
    standby.cut();
    try {
      // It would get all that is committed until the end even if no commit waited for it. What is
      // acknowledged from here on is lost.
      last(CUT_MILLIS);
      if (hit.fault() == Fault.HANG_AND_PROMOTE) {
        standby.freezePrimary();
      } else {
        standby.killPrimary();
      }
    } finally {
      standby.uncut();
    }
    // Who decides on a promotion looks for a while before he does.
    last(hit.length().toMillis());
    standby.promote();
    if (hit.fault() == Fault.HANG_AND_PROMOTE) {
      wake(new Random(hit.seed()));
    }
    standby.rejoin();
  }

  /** Every other time it wakes before it is ended, and for a while there are two primaries. */
  private void wake(Random random) throws InterruptedException {
    if (random.nextBoolean()) {
      standby.wakeFormer();
      last(random.nextInt(AWAKE_MILLIS_MIN, AWAKE_MILLIS_MAX));
    }
  }

  private void last(long millis) throws InterruptedException {
    stopped.await(millis, TimeUnit.MILLISECONDS);
  }
}
