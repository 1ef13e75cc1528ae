package io.evento.server.consumer.lease;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TimerChainTest {
  private static final int ROUNDS = 2_000;

  /** Those that are armed and did not fire yet. */
  private final ConcurrentLinkedQueue<Long> timers = new ConcurrentLinkedQueue<>();

  private final TimerChain chain = new TimerChain(timers::add);
  private final ExecutorService threads = Executors.newFixedThreadPool(2);

  @AfterEach
  void end() {
    threads.shutdownNow();
  }

  private static void nothing() {}

  private void fire(Runnable pass) {
    chain.fired(timers.remove(), pass);
  }

  @Test
  void each_pass_arms_the_next_timer() {
    assertThat(chain.arm()).isTrue();
    for (var i = 0; i < 5; i++) {
      fire(() -> assertThat(timers).isEmpty());
      assertThat(timers).hasSize(1);
    }
  }

  @Test
  void while_its_pass_is_under_way_nobody_else_arms_one() throws Exception {
    chain.arm();
    var begun = new CountDownLatch(1);
    var end = new CountDownLatch(1);
    var pass =
        threads.submit(
            () ->
                fire(
                    () -> {
                      begun.countDown();
                      await(end);
                    }));
    await(begun);
    assertThat(chain.arm()).isFalse();
    assertThat(timers).isEmpty();
    end.countDown();
    pass.get(10, TimeUnit.SECONDS);
    assertThat(timers).hasSize(1);
  }

  @Test
  void a_timer_that_was_superseded_as_it_fired_starts_no_second_chain() throws Exception {
    chain.arm();
    var late = timers.remove();
    assertThat(chain.arm()).isTrue();
    var begun = new CyclicBarrier(2);
    var passes =
        new Future<?>[] {
          threads.submit(() -> chain.fired(late, () -> meet(begun))),
          threads.submit(() -> fire(() -> meet(begun)))
        };
    for (var pass : passes) {
      pass.get(10, TimeUnit.SECONDS);
    }
    assertThat(timers).hasSize(1);
  }

  @Test
  void whoever_arms_it_while_it_fires_leaves_one_chain() throws Exception {
    chain.arm();
    for (var round = 0; round < ROUNDS; round++) {
      var start = new CyclicBarrier(2);
      var number = timers.remove();
      var pass =
          threads.submit(
              () -> {
                meet(start);
                chain.fired(number, TimerChainTest::nothing);
              });
      var other =
          threads.submit(
              () -> {
                meet(start);
                chain.arm();
              });
      pass.get(10, TimeUnit.SECONDS);
      other.get(10, TimeUnit.SECONDS);
      // There are two where it was armed just after the pass: the older one arms nothing.
      for (var left = timers.size(); left > 0; left--) {
        fire(TimerChainTest::nothing);
      }
      assertThat(timers).hasSize(1);
    }
  }

  @Test
  void one_that_was_refused_can_be_armed_later_and_a_pass_meanwhile_goes_on() {
    var isSuspended = new boolean[1];
    var refusing = new TimerChain(number -> !isSuspended[0] && timers.add(number));
    refusing.arm();
    isSuspended[0] = true;
    assertThat(refusing.arm()).isFalse();
    refusing.fired(timers.remove(), TimerChainTest::nothing);
    assertThat(timers).isEmpty();
    isSuspended[0] = false;
    assertThat(refusing.arm()).isTrue();
    refusing.fired(timers.remove(), TimerChainTest::nothing);
    assertThat(timers).hasSize(1);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException stopped) {
      throw new IllegalStateException(stopped);
    }
  }

  private static void meet(CyclicBarrier barrier) {
    try {
      barrier.await(10, TimeUnit.SECONDS);
    } catch (Exception failure) {
      throw new IllegalStateException(failure);
    }
  }
}
