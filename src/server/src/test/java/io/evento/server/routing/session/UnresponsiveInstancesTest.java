package io.evento.server.routing.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.routing.SessionLostException;
import io.evento.server.telemetry.Metrics;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Who is passed over for not answering, and for how long. */
class UnresponsiveInstancesTest {
  private final AtomicLong now = new AtomicLong();
  private final Metrics metrics = new Metrics();
  private final UnresponsiveInstances unresponsiveInstances =
      new UnresponsiveInstances(metrics, now::get);
  private final UUID instance = UUID.randomUUID();

  @Test
  void after_three_deadlines_in_a_row_an_instance_is_passed_over_and_before_that_not() {
    miss();
    miss();
    assertThat(unresponsiveInstances.mayBeAsked(instance)).isTrue();
    assertThat(unresponsiveInstances.silent(instance)).isEmpty();
    miss();
    assertThat(unresponsiveInstances.mayBeAsked(instance)).isFalse();
    assertThat(unresponsiveInstances.silent(instance))
        .hasValueSatisfying(silent -> assertThat(silent.unanswered()).isEqualTo(3));
    assertThat(unresponsiveInstances.mayBeAsked(UUID.randomUUID())).isTrue();
    assertThat(metrics.scrape()).contains("evento_instances_unresponsive 1");
  }

  @Test
  void an_answer_between_them_starts_the_count_anew() {
    miss();
    miss();
    answer();
    miss();
    miss();
    assertThat(unresponsiveInstances.mayBeAsked(instance)).isTrue();
  }

  @Test
  void one_request_at_a_time_tries_it_after_each_pause_and_an_answer_heals() {
    missUntilPassedOver();
    pass(UnresponsiveInstances.BACKOFF.first().toMillis());
    assertThat(unresponsiveInstances.mayBeAsked(instance)).isTrue();
    var probe = new CompletableFuture<String>();
    var watched = unresponsiveInstances.watch(instance, 1_000, probe);
    assertThat(unresponsiveInstances.mayBeAsked(instance)).as("while it is being tried").isFalse();
    probe.complete("here");
    assertThat(watched.toCompletableFuture()).isCompletedWithValue("here");
    assertThat(unresponsiveInstances.mayBeAsked(instance)).isTrue();
    assertThat(unresponsiveInstances.silent(instance)).isEmpty();
  }

  @Test
  void a_try_that_ends_with_the_session_lets_another_one_try() {
    missUntilPassedOver();
    pass(UnresponsiveInstances.BACKOFF.first().toMillis());
    var probe = new CompletableFuture<String>();
    unresponsiveInstances.watch(instance, 1_000, probe);
    probe.completeExceptionally(new SessionLostException("gone"));
    assertThat(unresponsiveInstances.mayBeAsked(instance)).isTrue();
  }

  @Test
  void the_pauses_grow_to_a_minute_and_no_further() {
    missUntilPassedOver();
    for (var i = 0; i < 12; i++) {
      pass(UnresponsiveInstances.BACKOFF.max().toMillis());
      assertThat(unresponsiveInstances.mayBeAsked(instance)).isTrue();
      miss();
      assertThat(unresponsiveInstances.mayBeAsked(instance)).isFalse();
    }
    pass(UnresponsiveInstances.BACKOFF.max().toMillis() / 2 - 1);
    assertThat(unresponsiveInstances.mayBeAsked(instance)).as("half of it is sure").isFalse();
  }

  @Test
  void a_deadline_that_nobody_could_keep_is_not_counted() {
    for (var i = 0; i < 5; i++) {
      watch(UnresponsiveInstances.DEADLINE_MIN_MILLIS - 1)
          .completeExceptionally(new TimeoutException("too short"));
    }
    assertThat(unresponsiveInstances.mayBeAsked(instance)).isTrue();
  }

  @Test
  void a_session_behind_another_node_that_says_nothing_until_the_deadline_counts_as_well() {
    for (var i = 0; i < 3; i++) {
      var request = watch(1_000);
      pass(1_000);
      request.completeExceptionally(new SessionLostException("no answer came"));
    }
    assertThat(unresponsiveInstances.mayBeAsked(instance)).isFalse();
  }

  @Test
  void sessions_that_are_lost_at_once_are_no_silence() {
    for (var i = 0; i < 5; i++) {
      watch(1_000).completeExceptionally(new SessionLostException("gone"));
    }
    assertThat(unresponsiveInstances.mayBeAsked(instance)).isTrue();
  }

  private CompletableFuture<String> watch(int millis) {
    var request = new CompletableFuture<String>();
    unresponsiveInstances.watch(instance, millis, request);
    return request;
  }

  private void miss() {
    watch(1_000).completeExceptionally(new TimeoutException("no answer"));
  }

  private void answer() {
    watch(1_000).complete("here");
  }

  private void missUntilPassedOver() {
    for (var i = 0; i < UnresponsiveInstances.UNANSWERED_MAX; i++) {
      miss();
    }
    assertThat(unresponsiveInstances.mayBeAsked(instance)).isFalse();
  }

  private void pass(long millis) {
    now.addAndGet(TimeUnit.MILLISECONDS.toNanos(millis));
  }
}
