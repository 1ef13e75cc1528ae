package io.evento.scenario.chaos.fault;

import java.util.Locale;

/** What is done to the cluster, and how long it may last. */
public enum Fault {
  KILL_NODE(0, 3),
  FREEZE_NODE(1, 9),
  KILL_BANK(0, 3),
  FREEZE_BANK(1, 9),
  CUT_DATABASE(1, 8),
  CUT_DATABASE_ANSWERS(1, 8),
  CUT_DATABASE_REQUESTS(1, 8),
  SLOW_DATABASE(2, 6),
  RESET_DATABASE(1, 2),
  LOSE_DATABASE_ANSWERS(2, 6),
  CUT_CALLERS(1, 8),
  CUT_CALLERS_ANSWERS(1, 6),
  SLOW_CALLERS(2, 6),
  RESET_CALLERS(1, 2),
  LOSE_CALLERS_ANSWERS(2, 6),
  CUT_PEERS(2, 9),
  CUT_PEERS_ANSWERS(2, 9),
  SLOW_PEERS(2, 6),
  RESET_PEERS(1, 2),
  KILL_POSTGRES(0, 3),
  RESTART_POSTGRES(0, 1),
  HANG_POSTGRES(1, 8),
  READ_ONLY_POSTGRES(1, 6),
  USE_UP_CONNECTIONS(2, 6),
  LOCK_EVENTS(1, 6),
  LOCK_NODES(1, 6),
  LOCK_SEGMENTS(1, 6),
  END_BACKENDS(2, 5),
  FULL_DISK(2, 6),
  CLOCK_AHEAD(6, 14),
  CLOCK_BEHIND(6, 14),
  KILL_AND_PROMOTE(1, 4),
  HANG_AND_PROMOTE(2, 6);

  private final int secondsMin;
  private final int secondsMax;

  Fault(int secondsMin, int secondsMax) {
    this.secondsMin = secondsMin;
    this.secondsMax = secondsMax;
  }

  int secondsMin() {
    return secondsMin;
  }

  int secondsMax() {
    return secondsMax;
  }

  /** Whether it is one of a link, which can come beside any that is none. */
  boolean isOfLinks() {
    return compareTo(CUT_DATABASE) >= 0 && compareTo(KILL_POSTGRES) < 0;
  }

  /** Whether it takes the primary away for good, so that there has to be a standby. */
  public boolean isPromotion() {
    return this == KILL_AND_PROMOTE || this == HANG_AND_PROMOTE;
  }

  /** As reports name it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
