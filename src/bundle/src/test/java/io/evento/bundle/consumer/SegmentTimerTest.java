package io.evento.bundle.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.Projector;
import io.evento.bundle.dispatch.Components;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.thread.Threads;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.ConsumerMessage.Events;
import io.evento.protocol.ConsumerMessage.Retried;
import io.evento.protocol.ConsumerMessage.Retry;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.RecordedEvent;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What comes at the moment at which a segment's wait is over. */
class SegmentTimerTest {
  private static final UUID EPOCH = UUID.randomUUID();
  private static final String CLOCK = "clock";

  private final List<Message> answers = new CopyOnWriteArrayList<>();
  private final List<Long> seen = new CopyOnWriteArrayList<>();
  private final AtomicInteger workers = new AtomicInteger();
  private final AtomicReference<@Nullable Runnable> atItsEnd = new AtomicReference<>();

  record Counted(long number) {}

  /** Takes anything but 1. */
  @Projector(name = "plain")
  static final class Plain {
    private final List<Long> seen;

    Plain(List<Long> seen) {
      this.seen = seen;
    }

    @EventHandler
    void on(Counted event) {
      if (event.number() == 1) {
        throw new IllegalStateException("cannot take 1");
      }
      seen.add(event.number());
    }
  }

  private static RecordedEvent event(long position) {
    return new RecordedEvent(
        position,
        new RecordedEvent.Stream("Counter", "c"),
        position,
        "Counted",
        1,
        "default",
        "2026-01-31T10:15:30.123456Z",
        UUID.randomUUID(),
        "flow",
        null,
        List.of(),
        Json.EMPTY_OBJECT,
        new Json("{\"number\":" + position + "}"));
  }

  /** The clock asks for a thread in the midst of its task. */
  private Thread worker(Runnable task) {
    workers.incrementAndGet();
    if (Thread.currentThread().getName().equals(CLOCK)) {
      var then = atItsEnd.getAndSet(null);
      if (then != null) {
        then.run();
      }
    }
    return new Thread(task);
  }

  @Test
  void a_letter_that_comes_while_a_wait_ends_brings_no_second_worker() {
    var clock = Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, CLOCK));
    var mapper = new PayloadMapper();
    var doubles = new AtomicInteger();
    try (var consumers =
        new Consumers(
            Components.of(List.of(new Plain(seen)), mapper, false).projectors(),
            mapper,
            null,
            clock,
            Threads.of(this::worker))) {
      atItsEnd.set(
          () -> {
            var before = workers.get();
            consumers.retry(new Retry("plain:1", 0, 1, UUID.randomUUID(), event(7)));
            doubles.set(workers.get() - before);
          });
      consumers.enable(new Enable("plain:1", 0, 0, 127, 1, EPOCH, 0), answers::add, this);
      consumers.events(new Events("plain:1", 0, 1, EPOCH, 0, 1, List.of(event(1))));
      await()
          .atMost(Duration.ofSeconds(10))
          .until(() -> answers.stream().anyMatch(Retried.class::isInstance));
    } finally {
      clock.shutdownNow();
    }
    assertThat(doubles).hasValue(0);
    assertThat(seen).containsExactly(7L);
  }
}
