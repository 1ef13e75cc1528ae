package io.evento.server.consumer.live;

import io.evento.protocol.LiveMessage;
import io.evento.server.consumer.lease.OwnedSegments.Held;
import io.evento.server.consumer.live.QueryWatch.Holding;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One attempt of a subscription, a try to join an answer with its updates: which node vouches for
 * which slots, how far each was heard, and what the answer covers. Confined to its subscription.
 */
final class JoinAttempt {
  private static final int SLOTS = 128;

  /** What became of an update or a beat. */
  enum Verdict {
    /** It belongs to the answer's updates. */
    NEW,
    /** The answer covers it. */
    COVERED,
    /** Something was lost or has moved: this attempt is over. */
    BROKEN
  }

  private static final class Node {
    private final Holding holding;
    private long heardAt;

    Node(Holding holding, long heardAt) {
      this.holding = holding;
      this.heardAt = heardAt;
    }
  }

  /** Where a segment is: by the answer, then by its updates. */
  private static final class Place {
    private final @Nullable UUID epoch;
    private final long covered;

    Place(@Nullable UUID epoch, long covered) {
      this.epoch = epoch;
      this.covered = covered;
    }
  }

  private final UUID id = UUID.randomUUID();
  private final int ordinal;
  private final String consumer;
  private final Map<String, Node> nodes = new HashMap<>();
  private final Map<String, Long> numbers = new HashMap<>();
  private final Map<Integer, Place> places = new HashMap<>();
  private final BitSet missing = new BitSet();

  JoinAttempt(int ordinal, String consumer) {
    this.ordinal = ordinal;
    this.consumer = consumer;
    missing.set(0, SLOTS);
  }

  UUID id() {
    return id;
  }

  int ordinal() {
    return ordinal;
  }

  String consumer() {
    return consumer;
  }

  /** The nodes that were asked and have answered. */
  Iterable<String> nodes() {
    return List.copyOf(nodes.keySet());
  }

  /**
   * A node watches.
   *
   * @return whether every slot is vouched for now
   */
  boolean watchedBy(String node, Holding holding, long now) {
    nodes.put(node, new Node(holding, now));
    for (var held : holding.held()) {
      missing.clear(held.firstSlot(), held.lastSlot() + 1);
    }
    return missing.isEmpty();
  }

  int slotsMissing() {
    return missing.cardinality();
  }

  /** The answer came, and says up to where it goes. */
  void answered(List<LiveMessage.RangeProgress> progress) {
    for (var node : nodes.values()) {
      for (var held : node.holding.held()) {
        places.put(held.segment(), place(held, progress));
      }
    }
  }

  /**
   * Where ranges were joined or split and not yet claimed anew, all that overlap stand where the
   * claim will begin; the highest is the one that leaves nothing to be told twice.
   */
  private static Place place(Held held, List<LiveMessage.RangeProgress> progress) {
    UUID epoch = null;
    var covered = 0L;
    for (var one : progress) {
      if (one.firstSlot() <= held.lastSlot()
          && one.lastSlot() >= held.firstSlot()
          && one.position() >= covered) {
        epoch = one.epoch();
        covered = one.position();
      }
    }
    return new Place(epoch, covered);
  }

  /** Whether a numbered update is the next of its node; if not, one was lost. */
  boolean isNext(String node, long number, long now) {
    heard(node, now);
    var last = numbers.put(node, number);
    return number == (last == null ? 0 : last) + 1;
  }

  private void heard(String node, long now) {
    var from = nodes.get(node);
    if (from != null) {
      from.heardAt = now;
    }
  }

  /** What to do with an update once the answer is there. */
  Verdict verdict(LiveMessage.Update update) {
    var place = places.get(update.segment());
    if (place == null
        || update.payload() == null
        || (place.epoch != null && !place.epoch.equals(update.epoch()))) {
      return Verdict.BROKEN;
    }
    return update.position() <= place.covered ? Verdict.COVERED : Verdict.NEW;
  }

  /**
   * Whether a node still delivers what it said, and everything that it told was heard. One that has
   * not said yet vouches for nothing.
   */
  boolean isAsBefore(String node, long number, long signature, long now) {
    heard(node, now);
    var from = nodes.get(node);
    return from == null
        || (number <= numbers.getOrDefault(node, 0L) && signature == from.holding.signature());
  }

  /** Whether a node that vouches for something said nothing for so long. */
  boolean isSilent(long now, long nanos) {
    return nodes.values().stream()
        .anyMatch(node -> !node.holding.held().isEmpty() && now - node.heardAt > nanos);
  }
}
