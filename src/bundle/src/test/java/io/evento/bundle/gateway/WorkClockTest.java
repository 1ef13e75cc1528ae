package io.evento.bundle.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WorkClockTest {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private final ScheduledThreadPoolExecutor threads = new ScheduledThreadPoolExecutor(1);
  private final AtomicBoolean hasWork = new AtomicBoolean();
  private final AtomicInteger looks = new AtomicInteger();
  private final WorkClock clock =
      new WorkClock(threads, Duration.ofMillis(5), hasWork::get, looks::incrementAndGet);

  @AfterEach
  void close() {
    threads.shutdownNow();
  }

  @Test
  void nothing_ticks_while_there_is_nothing_to_look_at() {
    assertThat(threads.getQueue()).isEmpty();
    hasWork.set(true);
    clock.wake();
    await().atMost(LIMIT).until(() -> looks.get() > 3);
    hasWork.set(false);
    await()
        .atMost(LIMIT)
        .until(() -> threads.getQueue().isEmpty() && threads.getActiveCount() == 0);
  }

  @Test
  void work_that_comes_while_it_sleeps_wakes_it() {
    for (var turn = 1; turn <= 3; turn++) {
      var before = looks.get();
      hasWork.set(true);
      clock.wake();
      await().atMost(LIMIT).until(() -> looks.get() > before);
      hasWork.set(false);
      await().atMost(LIMIT).until(() -> threads.getQueue().isEmpty());
    }
  }

  @Test
  void a_look_that_fails_does_not_end_it() {
    var failing =
        new WorkClock(
            threads,
            Duration.ofMillis(5),
            () -> true,
            () -> {
              looks.incrementAndGet();
              throw new IllegalStateException("a bug");
            });
    failing.wake();
    await().atMost(LIMIT).until(() -> looks.get() > 3);
  }
}
