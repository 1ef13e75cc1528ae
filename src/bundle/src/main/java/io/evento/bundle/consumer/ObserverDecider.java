package io.evento.bundle.consumer;

import io.evento.bundle.api.Reaction;
import io.evento.bundle.dispatch.ObserverType;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.thread.BoundedExecutor;
import io.evento.protocol.StepMessage;
import io.evento.protocol.StepMessage.Stepped;
import io.evento.protocol.StepMessage.Steps;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** Runs the handlers of an observer: events of one stream in order, streams side by side. */
final class ObserverDecider implements StepSegment.Decider {
  private static final long STAGE_MAX_SECONDS = 60;

  private final ObserverType observer;
  private final PayloadMapper mapper;
  private final BoundedExecutor reactions;

  /**
   * @param reactions for handlers alone: what waits for them must not take their threads
   */
  ObserverDecider(ObserverType observer, PayloadMapper mapper, BoundedExecutor reactions) {
    this.observer = observer;
    this.mapper = mapper;
    this.reactions = reactions;
  }

  /** What a handler came to: a result, or what it threw. */
  private record Reacted(StepMessage.@Nullable Result result, @Nullable Throwable thrown) {}

  @Override
  public Stepped decide(Steps asked) {
    var all = asked.inputs();
    var reacted = new AtomicReferenceArray<@Nullable Reacted>(all.size());
    var results = new ArrayList<StepMessage.Result>();
    Throwable thrown = null;
    try {
      StepResults.prepare(asked, mapper);
      reactAll(all, reacted);
      for (var i = 0; i < all.size() && thrown == null; i++) {
        var one = reacted.get(i);
        if (one != null && one.result() != null) {
          results.add(one.result());
        } else {
          thrown = one == null ? new IllegalStateException("was not handled") : one.thrown();
        }
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      thrown = stopped;
    }
    return new Stepped(
        asked.consumer(),
        asked.segment(),
        asked.fence(),
        asked.batch(),
        results,
        thrown == null ? null : StepResults.failure(asked, results.size(), thrown));
  }

  private void reactAll(
      List<StepMessage.Input> all, AtomicReferenceArray<@Nullable Reacted> reacted)
      throws InterruptedException {
    var streams = new LinkedHashMap<String, List<Integer>>();
    for (var i = 0; i < all.size(); i++) {
      streams.computeIfAbsent(all.get(i).key(), first -> new ArrayList<>()).add(i);
    }
    var done = new CountDownLatch(streams.size());
    var sideBySide = new Semaphore(observer.concurrency());
    for (var stream : streams.values()) {
      sideBySide.acquire();
      Runnable body =
          () -> {
            try {
              reactInOrder(stream, all, reacted);
            } finally {
              sideBySide.release();
              done.countDown();
            }
          };
      if (!reactions.submit(body)) {
        body.run();
      }
    }
    done.await();
  }

  private void reactInOrder(
      List<Integer> stream,
      List<StepMessage.Input> all,
      AtomicReferenceArray<@Nullable Reacted> reacted) {
    for (var i : stream) {
      try {
        reacted.set(i, new Reacted(react(all.get(i)), null));
      } catch (Throwable failure) {
        reacted.set(i, new Reacted(null, failure));
        return;
      }
    }
  }

  private StepMessage.Result react(StepMessage.Input input) throws Throwable {
    var event = input.event();
    if (event == null) {
      return StepMessage.Result.NOTHING;
    }
    var returned =
        observer.onEvent(
            event.type(),
            event.payloadVersion(),
            event.payload(),
            EventCaller.metadata(event, mapper));
    if (returned instanceof CompletionStage<?> stage) {
      returned = stage.toCompletableFuture().get(STAGE_MAX_SECONDS, TimeUnit.SECONDS);
    }
    var commands = Reaction.of(returned).commands();
    return commands.isEmpty()
        ? StepMessage.Result.NOTHING
        : StepResults.checked(
            new StepMessage.Result(
                null,
                false,
                commands.stream()
                    .map(command -> StepResults.send(command, mapper, type -> false))
                    .toList(),
                List.of()));
  }
}
