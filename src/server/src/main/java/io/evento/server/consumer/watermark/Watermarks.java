package io.evento.server.consumer.watermark;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.QueryMessage;
import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.delivery.Deliveries;
import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.delivery.WatermarkListeners;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Slots;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.query.ReadModelProgress;
import jakarta.inject.Inject;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Waits until a consumer has seen a position, wherever its segments are.
 *
 * <p>A slot has seen a position when its owner had everything up to there acknowledged. That stays
 * true whoever owns it later, so nodes are asked one by one, each for the slots that it owns, until
 * every slot was vouched for by somebody; a slot that has no owner for the moment is waited for.
 *
 * <p>An owner passes over what it parks, so whoever waits for a stream is told when that has dead
 * letters. Mostly the owner itself is certain that it has none, as it says that it has seen the
 * position ({@link Delivery#settle}). Where it is not, the letters are looked for after the wait:
 * an event is parked before it is passed over, and its letter removed after it was handled.
 */
@NodeScoped
public class Watermarks implements ReadModelProgress {
  private static final String KIND = "seen";

  /** An owner answers by then with what it has, as others may have the rest by now. */
  private static final int ROUND_MILLIS = 250;

  /** Asks the owners of a consumer's slots on one node. */
  public interface Owners {
    CompletionStage<Answer> seen(String node, Question question);
  }

  /**
   * @param position of the present epoch
   * @param key of the stream that is waited for, which a node of the release before does not look
   *     at; null for all streams
   */
  public record Question(
      String consumer, int firstSlot, int lastSlot, long position, @Nullable String key) {
    String text() {
      var all = consumer + ' ' + firstSlot + ' ' + lastSlot + ' ' + position;
      return key == null ? all : all + ' ' + key;
    }

    static Question of(String text) {
      var parts = text.split(" ", 5);
      return new Question(
          parts[0],
          Integer.parseInt(parts[1]),
          Integer.parseInt(parts[2]),
          Long.parseLong(parts[3]),
          parts.length == 5 ? parts[4] : null);
    }
  }

  /**
   * @param slots of those asked for that have seen the position
   * @param isHandled whether it is certain that nothing of the key is parked; never where none was
   *     asked about, nor said by a node of the release before
   */
  public record Answer(BitSet slots, boolean isHandled) {
    private static final String HANDLED = " handled";

    static final Answer NONE = new Answer(new BitSet(), false);

    String text() {
      return isHandled ? slots + HANDLED : slots.toString();
    }

    static Answer of(String text) {
      var isHandled = text.endsWith(HANDLED);
      var seen = isHandled ? text.substring(0, text.length() - HANDLED.length()) : text;
      var slots = new BitSet();
      for (var slot : List.of(seen.replaceAll("[{} ]", "").split(",", -1))) {
        if (!slot.isEmpty()) {
          slots.set(Integer.parseInt(slot));
        }
      }
      return new Answer(slots, isHandled);
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
            links.ask(node, KIND, question.text(), 2L * ROUND_MILLIS).thenApply(Answer::of);
    links.answer(KIND, (peer, body) -> here(Question.of(body)).thenApply(Answer::text));
  }

  /** For tests, whose nodes have no links. */
  public Watermarks(
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
  public CompletionStage<Void> seen(String consumer, QueryMessage.After after, Deadline deadline) {
    var stream = after.stream();
    var first = 0;
    var last = Slots.COUNT - 1;
    String key = null;
    if (stream != null) {
      var of = new RecordedEvent.Stream(stream.type(), stream.id());
      first = Slots.of(of);
      last = first;
      key = Slots.key(of);
    }
    var wait =
        new PositionWait(
            new Question(consumer, first, last, after.position(), key),
            deadline,
            this::here,
            nodes,
            owners,
            timer);
    var parkable = key;
    return wait.begin()
        .thenCompose(
            isHandled ->
                parkable == null || isHandled
                    ? CompletableFuture.<@Nullable Void>completedStage(null)
                    : checkNotParked(consumer, parkable, after.position()));
  }

  private CompletionStage<Void> checkNotParked(String consumer, String key, long position) {
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
  CompletionStage<Answer> here(Question question) {
    var head = follower.head().orElse(null);
    if (head == null) {
      return CompletableFuture.completedStage(Answer.NONE);
    }
    var owned = deliveries.of(question.consumer, question.firstSlot, question.lastSlot);
    var sights =
        owned.stream()
            .map(delivery -> sight(delivery, head.at(question.position), question))
            .toList();
    return CompletableFuture.allOf(sights.toArray(CompletableFuture<?>[]::new))
        .thenApply(done -> answer(question, owned, sights));
  }

  private CompletableFuture<WatermarkListeners.WatermarkAnswer> sight(
      Delivery delivery, StorePosition position, Question question) {
    return deliveries
        .watermark(delivery, position, question.key)
        .completeOnTimeout(
            WatermarkListeners.WatermarkAnswer.NONE, ROUND_MILLIS, TimeUnit.MILLISECONDS);
  }

  private static Answer answer(
      Question question,
      List<Delivery> owned,
      List<CompletableFuture<WatermarkListeners.WatermarkAnswer>> sights) {
    var slots = new BitSet();
    var isHandled = !owned.isEmpty();
    for (var i = 0; i < owned.size(); i++) {
      var watermarkAnswer = sights.get(i).getNow(WatermarkListeners.WatermarkAnswer.NONE);
      isHandled &= watermarkAnswer == WatermarkListeners.WatermarkAnswer.HANDLED;
      if (watermarkAnswer != WatermarkListeners.WatermarkAnswer.NONE) {
        var has = owned.get(i).lease().claimed();
        slots.set(
            Math.max(has.firstSlot(), question.firstSlot),
            Math.min(has.lastSlot(), question.lastSlot) + 1);
      }
    }
    return new Answer(slots, isHandled);
  }
}
