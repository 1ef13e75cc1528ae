package io.evento.cluster;

import static org.awaitility.Awaitility.await;

import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;

/**
 * Asks each member all the time whether it takes writes and has a synchronous standby, and
 * remembers since when.
 */
public final class PromotionWatch implements AutoCloseable {

  private static final long PAUSE_NANOS = Duration.ofMillis(20).toNanos();
  private static final long AWAY_NANOS = Duration.ofMillis(250).toNanos();

  /**
   * A time as a primary.
   *
   * @param since when it was first seen, by {@link System#nanoTime}
   * @param until when it was last seen
   */
  public record Reign(long since, long until) {}

  private static final String LOOK =
      """
      select not pg_is_in_recovery(),
             exists (select from pg_stat_replication
                      where state = 'streaming' and sync_state in ('sync', 'quorum'))
      """;

  private final Map<PatroniMember, Reign> last = new ConcurrentHashMap<>();

  /** When a primary was first seen with a synchronous standby after it had none. */
  private final ConcurrentSkipListSet<Long> standbys = new ConcurrentSkipListSet<>();

  private final ExecutorService threads;
  private volatile boolean stopping;

  public PromotionWatch(List<PatroniMember> members) {
    threads = Executors.newFixedThreadPool(members.size());
    members.forEach(member -> threads.execute(() -> watch(member)));
  }

  /**
   * When another than the former leader was first seen to take writes; 20 ms late at most.
   *
   * @param fault when the former leader was struck, by {@link System#nanoTime}
   */
  public long awaitSuccessor(PatroniMember former, long fault, Duration limit) {
    return await("a new leader instead of " + former)
        .atMost(limit)
        .pollInterval(Duration.ofMillis(50))
        .until(() -> successor(former, fault), Optional::isPresent)
        .orElseThrow()
        .since();
  }

  private Optional<Reign> successor(PatroniMember former, long fault) {
    return last.entrySet().stream()
        .filter(entry -> !entry.getKey().equals(former))
        .map(Map.Entry::getValue)
        .filter(reign -> reign.since() - fault > 0)
        .findFirst();
  }

  /** The last time that this one took writes; empty if it never did while it was watched. */
  public Optional<Reign> reign(PatroniMember member) {
    return Optional.ofNullable(last.get(member));
  }

  /** Since when the primary had the standby that a commit at that moment waited for. */
  public long standbySince(long moment) {
    return standbys.floor(moment);
  }

  private void watch(PatroniMember member) {
    var reigns = false;
    var hasStandby = false;
    while (!stopping) {
      try (var connection = member.administrator();
          var statement = connection.createStatement()) {
        while (!stopping) {
          try (var row = statement.executeQuery(LOOK)) {
            row.next();
            reigns = note(member, reigns, row.getBoolean(1));
            if (!hasStandby && reigns && row.getBoolean(2)) {
              standbys.add(System.nanoTime());
            }
            hasStandby = reigns && row.getBoolean(2);
          }
          LockSupport.parkNanos(PAUSE_NANOS);
        }
      } catch (SQLException deadOrFrozen) {
        LockSupport.parkNanos(AWAY_NANOS);
      }
    }
  }

  private boolean note(PatroniMember member, boolean reigned, boolean reigns) {
    var now = System.nanoTime();
    if (reigns) {
      last.compute(
          member,
          (same, reign) ->
              reign == null || !reigned ? new Reign(now, now) : new Reign(reign.since(), now));
    }
    return reigns;
  }

  @Override
  public void close() {
    stopping = true;
    threads.shutdown();
  }
}
