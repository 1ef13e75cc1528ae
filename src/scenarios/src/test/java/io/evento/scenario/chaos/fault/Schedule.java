package io.evento.scenario.chaos.fault;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Which faults come, drawn from a seed: the same seed gives the same faults in the same order, with
 * the same targets and lengths. Each of the given comes once before any comes again.
 */
public final class Schedule {
  private static final int CALM_MILLIS_MAX = 2_000;

  private final Random random;
  private final List<Fault> all;
  private final int nodes;
  private final int banks;
  private final List<Fault> deck = new ArrayList<>();

  /**
   * @param all one at least
   */
  public Schedule(long seed, Collection<Fault> all, int nodes, int banks) {
    this.random = new Random(seed);
    this.all = List.copyOf(all);
    this.nodes = nodes;
    this.banks = banks;
  }

  /** What comes next: one, or beside one that is not of links a second one that is. */
  public List<Hit> next() {
    var first = hit(drawn());
    var ofLinks = all.stream().filter(Fault::isOfLinks).toList();
    return first.fault().isOfLinks() || ofLinks.isEmpty() || random.nextInt(3) > 0
        ? List.of(first)
        : List.of(first, hit(ofLinks.get(random.nextInt(ofLinks.size()))));
  }

  private Fault drawn() {
    if (deck.isEmpty()) {
      deck.addAll(all);
      Collections.shuffle(deck, random);
    }
    return deck.remove(deck.size() - 1);
  }

  private Hit hit(Fault fault) {
    var targets = fault == Fault.KILL_BANK || fault == Fault.FREEZE_BANK ? banks : nodes;
    var least = fault.secondsMin() * 1_000;
    return new Hit(
        fault,
        1 + random.nextInt(targets),
        random.nextLong(),
        Duration.ofMillis(least + random.nextInt(fault.secondsMax() * 1_000 - least + 1)),
        Duration.ofMillis(random.nextInt(CALM_MILLIS_MAX)));
  }
}
