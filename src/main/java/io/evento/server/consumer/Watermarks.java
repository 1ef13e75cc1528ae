package io.evento.server.consumer;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Message;
import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.eventstore.Follower;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.ReadModels;
import jakarta.inject.Inject;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Waits until a consumer has seen a position, wherever its segments are.
 *
 * <p>A slot has seen a position when its owner had everything up to there acknowledged. That stays
 * true whoever owns it later, so nodes are asked one by one, each for the slots that it owns, until
 * every slot was vouched for by somebody; a slot that has no owner for the moment is waited for.
 *
 * <p>An owner passes over what it parks, so whoever waits for a stream is told when that has dead
 * letters. They are looked for after the wait: an event is parked before it is passed over, and its
 * letter removed after it was handled.
 */
@NodeScoped
public class Watermarks implements ReadModels {
  private static final String KIND = "seen";

  /** An owner answers by then with what it has, as others may have the rest by now. */
  private static final int ROUND_MILLIS = 250;

  private static final int PAUSE_FIRST_MILLIS = 10;
  private static final int PAUSE_MAX_MILLIS = 200;

  /** Asks the owners of a consumer's slots on one node. */
  interface Owners {
    /**
     * @return slots of those asked for that have seen the position
     */
    CompletionStage<BitSet> seen(String node, Question question);
  }

  /**
   * @param position of the present epoch
   */
  record Question(String consumer, int firstSlot, int lastSlot, long position) {
    String text() {
      return consumer + ' ' + firstSlot + ' ' + lastSlot + ' ' + position;
    }

    static Question of(String text) {
      var parts = text.split(" ", -1);
      return new Question(
          parts[0],
          Integer.parseInt(parts[1]),
          Integer.parseInt(parts[2]),
          Long.parseLong(parts[3]));
    }
  }

  private final Deliveries deliveries;
  private final Follower follower;
  private final ScheduledExecutorService timer;
  private final java.util.function.Supplier<Collection<String>> nodes;
  private final Owners owners;
  private final DeadLetterTable letters;
  private final Executor readers;

  @Inject
  Watermarks(
      Deliveries deliveries,
      Follower follower,
      DeadLetterTable letters,
      Links links,
      Threads threads) {
    this.deliveries = deliveries;
    this.follower = follower;
    this.letters = letters;
    this.readers = readers(threads);
    this.timer = threads.timer();
    this.nodes = links::peers;
    this.owners =
        (node, question) ->
            links.ask(node, KIND, question.text(), 2L * ROUND_MILLIS).thenApply(Watermarks::slots);
    links.answer(
        KIND, (peer, body) -> here(Question.of(body)).thenApply(slots -> slots.toString()));
  }

  /** For tests, whose nodes have no links. */
  Watermarks(
      Deliveries deliveries,
      Follower follower,
      DeadLetterTable letters,
      Threads threads,
      java.util.function.Supplier<Collection<String>> nodes,
      Owners owners) {
    this.deliveries = deliveries;
    this.follower = follower;
    this.letters = letters;
    this.readers = readers(threads);
    this.timer = threads.timer();
    this.nodes = nodes;
    this.owners = owners;
  }

  private static Executor readers(Threads threads) {
    return threads.pool("parked-reader", 2, 10_000);
  }

  @Override
  public CompletionStage<Void> seen(String consumer, Message.After after, Deadline deadline) {
    var stream = after.stream();
    var first = 0;
    var last = Slots.COUNT - 1;
    if (stream != null) {
      first = Slots.of(new RecordedEvent.Stream(stream.type(), stream.id()));
      last = first;
    }
    var wait =
        new SeenWait(
            new Question(consumer, first, last, after.position()),
            deadline,
            this::here,
            nodes,
            owners,
            timer);
    return stream == null
        ? wait.begin()
        : wait.begin().thenCompose(seen -> checkNotParked(consumer, stream, after.position()));
  }

  private CompletionStage<Void> checkNotParked(
      String consumer, Message.Aggregate stream, long position) {
    var key = Slots.key(new RecordedEvent.Stream(stream.type(), stream.id()));
    return Threads.run(
        () -> {
          if (letters.isParked(ConsumerId.of(consumer), key, position)) {
            throw new EventoException(
                ErrorCode.CONFLICT,
                consumer + " has parked events of " + key + ": see its dead letters");
          }
        },
        readers);
  }

  /** The slots that are owned here and have seen the position, soon. */
  CompletionStage<BitSet> here(Question question) {
    var head = follower.head().orElse(null);
    if (head == null) {
      return CompletableFuture.completedStage(new BitSet());
    }
    var owned = deliveries.of(question.consumer, question.firstSlot, question.lastSlot);
    var slots = new BitSet();
    var all =
        owned.stream()
            .map(delivery -> seen(delivery, head.at(question.position), question, slots))
            .toArray(CompletableFuture<?>[]::new);
    return CompletableFuture.allOf(all)
        .thenApply(
            done -> {
              synchronized (slots) {
                return (BitSet) slots.clone();
              }
            });
  }

  private CompletableFuture<?> seen(
      Delivery delivery, StorePosition position, Question question, BitSet slots) {
    return deliveries
        .seen(delivery, position)
        .completeOnTimeout(false, ROUND_MILLIS, TimeUnit.MILLISECONDS)
        .thenAccept(
            seen -> {
              if (seen) {
                var has = delivery.lease().claimed();
                synchronized (slots) {
                  slots.set(
                      Math.max(has.firstSlot(), question.firstSlot),
                      Math.min(has.lastSlot(), question.lastSlot) + 1);
                }
              }
            });
  }

  static int pause(int round) {
    return Math.min(PAUSE_MAX_MILLIS, PAUSE_FIRST_MILLIS << Math.min(round, 8));
  }

  /** The inverse of {@link BitSet#toString}. */
  private static BitSet slots(String text) {
    var slots = new BitSet();
    for (var slot : List.of(text.replaceAll("[{} ]", "").split(",", -1))) {
      if (!slot.isEmpty()) {
        slots.set(Integer.parseInt(slot));
      }
    }
    return slots;
  }
}
