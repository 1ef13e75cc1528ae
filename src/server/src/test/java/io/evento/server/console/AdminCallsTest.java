package io.evento.server.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.server.Threads;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who looks and who changes something do not wait for each other. */
class AdminCallsTest {
  private static final Duration SOON = Duration.ofSeconds(5);
  private static final int MANY = 20;

  private final Threads threads = new Threads(Thread::new);
  private final AdminCalls calls = new AdminCalls(threads);
  private final CountDownLatch slow = new CountDownLatch(1);

  @AfterEach
  void stop() {
    slow.countDown();
    threads.stop();
  }

  private Object afterLong() {
    try {
      slow.await();
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
    return 0;
  }

  private static void comes(CompletionStage<byte[]> answer) {
    var done = answer.toCompletableFuture();
    await().atMost(SOON).until(done::isDone);
    assertThat(new String(done.join(), StandardCharsets.UTF_8)).isEqualTo("7");
  }

  @Test
  void pages_that_are_slow_to_read_keep_no_operator_waiting() {
    for (var page = 0; page < MANY; page++) {
      calls.view(this::afterLong);
    }
    comes(calls.answer(() -> 7));
  }

  @Test
  void operations_that_are_slow_keep_no_page_waiting() {
    for (var operation = 0; operation < MANY; operation++) {
      calls.answer(this::afterLong);
      calls.answerPatiently(this::afterLong);
    }
    comes(calls.view(() -> 7));
  }

  @Test
  void what_other_nodes_answer_is_waited_for_by_no_thread() {
    for (var page = 0; page < MANY; page++) {
      calls.viewed(new CompletableFuture<>());
    }
    comes(calls.view(() -> 7));
    comes(calls.viewed(CompletableFuture.completedStage(7)));
  }
}
