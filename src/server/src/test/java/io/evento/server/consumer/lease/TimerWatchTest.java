package io.evento.server.consumer.lease;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TimerWatchTest {
  private final AtomicLong clock = new AtomicLong();
  private final AtomicInteger passes = new AtomicInteger();
  private final AtomicInteger armed = new AtomicInteger();
  private final TimerWatch watch = new TimerWatch(passes::incrementAndGet, atOnce(), clock::get);

  private static ExecutorService atOnce() {
    return new AbstractExecutorService() {
      @Override
      public void execute(Runnable work) {
        work.run();
      }

      @Override
      public void shutdown() {}

      @Override
      public List<Runnable> shutdownNow() {
        return List.of();
      }

      @Override
      public boolean isShutdown() {
        return false;
      }

      @Override
      public boolean isTerminated() {
        return false;
      }

      @Override
      public boolean awaitTermination(long time, TimeUnit unit) {
        return true;
      }
    };
  }

  private boolean arm() {
    armed.incrementAndGet();
    return true;
  }

  private void seconds(int count) {
    for (var i = 0; i < count; i++) {
      clock.addAndGet(TimeUnit.SECONDS.toNanos(1));
      watch.look();
    }
  }

  @Test
  void a_timer_that_makes_its_passes_is_left_alone() {
    watch.armBy(this::arm);
    for (var i = 0; i < 20; i++) {
      watch.ticked();
      seconds(1);
    }
    assertThat(passes).hasValue(0);
    assertThat(armed).hasValue(0);
  }

  @Test
  void a_silent_one_is_stood_in_for_each_second_and_armed_again_after_five() {
    watch.armBy(this::arm);
    watch.ticked();
    seconds(2);
    assertThat(passes).hasValue(0);
    seconds(1);
    assertThat(passes).hasValue(1);
    seconds(1);
    assertThat(armed).hasValue(0);
    seconds(1);
    assertThat(armed).hasValue(1);
    assertThat(passes).hasValue(3);
    assertThat(watch.sinceTick()).isEqualTo(Duration.ofSeconds(5));

    watch.ticked();
    seconds(2);
    assertThat(armed).hasValue(1);
    assertThat(passes).hasValue(3);
  }

  @Test
  void one_that_stays_silent_is_armed_every_five_seconds_and_not_more_often() {
    watch.armBy(this::arm);
    seconds(5 * 6);
    assertThat(armed).hasValue(6);
    assertThat(watch.armed()).isEqualTo(6);
  }

  @Test
  void a_server_that_refuses_to_arm_it_is_asked_again_and_only_what_was_armed_counts() {
    var refusals = new AtomicInteger();
    watch.armBy(
        () -> {
          if (refusals.incrementAndGet() < 3) {
            throw new IllegalStateException("suspended");
          }
          return refusals.get() > 3;
        });
    seconds(20);
    assertThat(refusals).hasValue(4);
    assertThat(watch.armed()).isEqualTo(1);
  }

  @Test
  void without_a_timer_nobody_stands_in_for_it() {
    seconds(20);
    assertThat(passes).hasValue(0);
  }
}
