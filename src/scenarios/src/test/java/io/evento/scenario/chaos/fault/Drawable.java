package io.evento.scenario.chaos.fault;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which faults a run draws from: those that {@code -Dchaos.faults} names, such as {@code
 * FULL_DISK,CLOCK_AHEAD}, or all. What this machine cannot bring is left out, and said.
 */
public final class Drawable {
  private static final Optional<String> NAMED =
      Optional.ofNullable(System.getProperty("chaos.faults"));

  /** They restart what they hit more than once, and want something of the machine or a standby. */
  private static final Set<Fault> LONG =
      EnumSet.of(
          Fault.FULL_DISK,
          Fault.CLOCK_AHEAD,
          Fault.CLOCK_BEHIND,
          Fault.KILL_AND_PROMOTE,
          Fault.HANG_AND_PROMOTE);

  private Drawable() {}

  /** For a run of a minute: without those that take most of one, unless they are named. */
  public static Set<Fault> inAMinute() {
    return here(NAMED.map(Drawable::named).orElse(EnumSet.complementOf(EnumSet.copyOf(LONG))));
  }

  /** For a run that has time for all. */
  public static Set<Fault> inTime() {
    return here(NAMED.map(Drawable::named).orElse(EnumSet.allOf(Fault.class)));
  }

  static Set<Fault> named(String names) {
    return Arrays.stream(names.split(","))
        .map(name -> Fault.valueOf(name.strip()))
        .collect(Collectors.toCollection(() -> EnumSet.noneOf(Fault.class)));
  }

  private static Set<Fault> here(Set<Fault> wanted) {
    var all = EnumSet.copyOf(wanted);
    all.removeIf(
        fault -> {
          var missing = missing(fault);
          missing.ifPresent(why -> System.out.println("[chaos] left out: " + fault + ", " + why));
          return missing.isPresent();
        });
    if (all.isEmpty()) {
      throw new IllegalStateException("none of these faults can be brought here: " + wanted);
    }
    return all;
  }

  private static Optional<String> missing(Fault fault) {
    return switch (fault) {
      case FULL_DISK -> SmallDisk.missing();
      case CLOCK_AHEAD, CLOCK_BEHIND -> SkewedClock.missing();
      default -> Optional.empty();
    };
  }
}
