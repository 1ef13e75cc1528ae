package io.evento.server.consumer.lease;

import io.evento.protocol.Rendezvous;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.SegmentId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Who should have how much, and what of it first. Everybody who sees the same members comes to the
 * same shares, which add up to the whole; where views differ, a segment is claimed later or moved
 * once more, never had twice.
 */
final class FairShares {
  private FairShares() {}

  /** How many of {@code segments} a member should have; 0 if it is none of the members. */
  static int quota(ConsumerId consumer, Collection<String> members, String member, int segments) {
    var rank = Rendezvous.rank(consumer.wire(), members).indexOf(member);
    return rank < 0 ? 0 : segments / members.size() + (rank < segments % members.size() ? 1 : 0);
  }

  /** Whom the segment that comes {@code index}-th is meant for; nobody if it is below 0. */
  static Optional<String> preferred(ConsumerId consumer, Collection<String> members, int index) {
    var ranked = Rendezvous.rank(consumer.wire(), members);
    return ranked.isEmpty() || index < 0
        ? Optional.empty()
        : Optional.of(ranked.get(index % ranked.size()));
  }

  /**
   * Whom to give a segment: of those who have least, the one it is meant for, else any.
   *
   * @param counts how many each has now; not empty
   */
  static String least(Map<String, Integer> counts, Optional<String> preferred) {
    var least = counts.values().stream().mapToInt(Integer::intValue).min().orElseThrow();
    return counts.entrySet().stream()
        .filter(entry -> entry.getValue() == least)
        .map(Map.Entry::getKey)
        .min(
            Comparator.<String, Boolean>comparing(member -> !preferred.equals(Optional.of(member)))
                .thenComparing(Comparator.naturalOrder()))
        .orElseThrow();
  }

  /** A segment, who has it, and whom it is meant for. */
  record Placed(SegmentId segment, String holder, Optional<String> preferred) {
    boolean isWherePreferred() {
      return preferred.equals(Optional.of(holder));
    }
  }

  /**
   * A segment that should change hands among {@code counts}' members: from one who has two more
   * than another, else to the one it is meant for where that makes nothing worse. Repeated until it
   * is empty it ends: the first kind lowers the sum of the squares, the second keeps it and brings
   * one more segment home.
   */
  static Optional<SegmentId> toMove(Map<String, Integer> counts, Collection<Placed> placed) {
    var least = counts.values().stream().mapToInt(Integer::intValue).min().orElse(0);
    var unfair = new ArrayList<Placed>();
    for (var each : placed) {
      var has = counts.getOrDefault(each.holder, 0);
      if (has >= least + 2) {
        unfair.add(each);
      } else if (!each.isWherePreferred()
          && each.preferred.map(counts::get).map(other -> other < has).orElse(false)) {
        return Optional.of(each.segment);
      }
    }
    return unfair.stream()
        .min(Comparator.comparing(Placed::isWherePreferred).thenComparing(Placed::segment))
        .map(Placed::segment);
  }

  /**
   * What a member with more than its share gives up.
   *
   * @param held in the order of the segments, with whom each is meant for
   */
  static List<SegmentId> surplus(Collection<Placed> held, int quota) {
    return held.stream()
        .sorted(Comparator.comparing(Placed::isWherePreferred).thenComparing(Placed::segment))
        .limit(Math.max(0, held.size() - quota))
        .map(Placed::segment)
        .toList();
  }
}
