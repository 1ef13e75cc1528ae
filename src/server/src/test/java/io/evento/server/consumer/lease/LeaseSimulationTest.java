package io.evento.server.consumer.lease;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.LeaseRow;
import io.evento.server.consumer.segment.LeaseTimings;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.fixture.Seeds;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Nodes whose clocks run differently, who freeze, whose statements come late or whose answers get
 * lost, take and renew the lease of one segment, while the database's clock jumps. The row is a
 * model of the table; what a node believes is the server's own {@link Lease} and {@link
 * ObservedLeases}.
 */
class LeaseSimulationTest {
  private static final SegmentId SEGMENT = new SegmentId(new ConsumerId("c", 1), 0);
  private static final UUID EPOCH = new UUID(0, 1);
  private static final LeaseTimings TIMINGS = LeaseTimings.STANDARD;
  private static final int NODES = 3;
  private static final long SECOND = 1_000_000_000L;
  private static final long LENGTH = 90 * SECOND;

  /** What is wrong with the nodes or the table, so that the simulation can be seen to find it. */
  private enum Bug {
    NONE,
    TRUSTS_FROM_THE_ANSWER_ON,
    BELIEVES_THE_CLOCK_OF_THE_DATABASE,
    CLAIMS_WITHOUT_COMPARING,
    FENCE_NOT_RAISED,
    WRITES_WITHOUT_A_FENCE
  }

  @Test
  void nobody_trusts_a_lease_that_another_trusts_and_no_old_owner_writes() {
    Seeds.all("leases", random -> new Simulation(random, Bug.NONE).run());
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void a_bug_is_found(Bug bug) {
    assertThat(Seeds.firstBroken(random -> new Simulation(random, bug).run())).isNotEmpty();
  }

  private record Event(long at, long order, Runnable what) {}

  private static final class Simulation {
    private final Random random;
    private final Bug bug;
    private final PriorityQueue<Event> events =
        new PriorityQueue<>(Comparator.comparing(Event::at).thenComparing(Event::order));
    private final List<NodeModel> nodes = new ArrayList<>();
    private long now;
    private long order;

    // The database: its clock against real time, and the row.
    private long databaseAhead;
    private long fence;
    private @Nullable UUID owner;
    private @Nullable OffsetDateTime leaseUntil;
    private long checkpoint;
    private long writtenUnder;

    Simulation(Random random, Bug bug) {
      this.random = random;
      this.bug = bug;
    }

    void run() {
      for (var i = 0; i < NODES; i++) {
        var node = new NodeModel(new UUID(1, i), 0.98 + 0.04 * random.nextDouble());
        nodes.add(node);
        later(random.nextInt(1_000), node::pass);
      }
      for (var next = events.poll(); next != null && next.at < LENGTH; next = events.poll()) {
        now = next.at;
        if (random.nextInt(200) == 0) {
          // Somebody corrects the machine of the database, or another one is the primary now.
          databaseAhead = (random.nextInt(61) - 30) * SECOND;
        }
        next.what.run();
        assertThat(nodes.stream().filter(NodeModel::trusts).count())
            .as("owners at %d ms", now / 1_000_000)
            .isLessThanOrEqualTo(1);
      }
    }

    private void later(long millis, Runnable what) {
      events.add(new Event(now + millis * 1_000_000, order++, what));
    }

    private OffsetDateTime databaseTime() {
      return Instant.ofEpochSecond(0, now + databaseAhead).atOffset(ZoneOffset.UTC);
    }

    private LeaseRow row() {
      var over = leaseUntil == null || leaseUntil.isBefore(databaseTime());
      return new LeaseRow(SEGMENT, fence, owner, leaseUntil, over);
    }

    private boolean claim(UUID by, LeaseRow seen) {
      var is = row();
      var isFree = is.owner() == null || is.owner().equals(by) || is.expired();
      if (bug != Bug.CLAIMS_WITHOUT_COMPARING && !(is.isSameAs(seen) && isFree)) {
        return false;
      }
      fence += bug == Bug.FENCE_NOT_RAISED ? 0 : 1;
      owner = by;
      leaseUntil = databaseTime().plus(TIMINGS.lease());
      return true;
    }

    private boolean renew(UUID by, long under) {
      if (under != fence || !Objects.equals(owner, by)) {
        return false;
      }
      leaseUntil = databaseTime().plus(TIMINGS.lease());
      return true;
    }

    private void release(UUID by, long under) {
      if (under == fence && Objects.equals(owner, by)) {
        owner = null;
        leaseUntil = null;
      }
    }

    /** What an owner has acknowledged, by whatever it believes to have. */
    private void write(UUID by, long under, long position) {
      if (bug != Bug.WRITES_WITHOUT_A_FENCE && (under != fence || !Objects.equals(owner, by))) {
        return;
      }
      assertThat(under).as("fence of a write after a write").isGreaterThanOrEqualTo(writtenUnder);
      assertThat(owner).as("owner while somebody else writes").isEqualTo(by);
      writtenUnder = under;
      checkpoint = Math.max(checkpoint, position);
    }

    private final class NodeModel {
      private final UUID id;
      private final double pace;
      private final long start = random.nextLong();
      private final ObservedLeases observed = new ObservedLeases();
      private @Nullable Lease lease;
      private long frozenUntil;

      NodeModel(UUID id, double pace) {
        this.id = id;
        this.pace = pace;
      }

      private long clock() {
        return start + (long) (now * pace);
      }

      boolean trusts() {
        var held = lease;
        return held != null && held.isTrusted(clock());
      }

      /** As of a process that stands still: what it was about to do comes when it goes on. */
      private void then(Runnable what) {
        var delay = random.nextInt(20) == 0 ? random.nextInt(8_000) : random.nextInt(40);
        if (random.nextInt(60) == 0) {
          frozenUntil = now + random.nextInt(12) * SECOND;
        }
        later(delay, () -> whenAwake(what));
      }

      private void whenAwake(Runnable what) {
        if (frozenUntil > now) {
          later((frozenUntil - now) / 1_000_000 + 1, () -> whenAwake(what));
        } else {
          what.run();
        }
      }

      private boolean isLost() {
        return random.nextInt(25) == 0;
      }

      void pass() {
        var held = lease;
        if (held == null) {
          then(this::look);
        } else if (random.nextInt(40) == 0) {
          // What it has is given back: it stops first.
          lease = null;
          then(() -> release(id, held.fence()));
          then(this::look);
        } else {
          renew(held);
        }
      }

      private void renew(Lease held) {
        var before = clock();
        then(
            () -> {
              var kept = Simulation.this.renew(id, held.fence());
              write(id, held.fence(), checkpoint + 1);
              if (isLost()) {
                then(this::pass); // the next pass is the retry
                return;
              }
              then(() -> renewed(held, before, kept));
            });
      }

      private void renewed(Lease held, long before, boolean kept) {
        if (lease == held && kept) {
          var from = bug == Bug.TRUSTS_FROM_THE_ANSWER_ON ? clock() : before;
          held.renewed(from + TIMINGS.trust().toNanos());
        } else if (lease == held) {
          lease = null;
        }
        later(1_000, () -> whenAwake(this::pass));
      }

      private void look() {
        var seen = row();
        then(
            () -> {
              observed.see(List.of(seen), clock());
              if (isFree(seen)) {
                claim(seen);
              } else {
                later(700, () -> whenAwake(this::pass));
              }
            });
      }

      private boolean isFree(LeaseRow seen) {
        return bug == Bug.BELIEVES_THE_CLOCK_OF_THE_DATABASE
            ? seen.owner() == null || seen.expired()
            : observed.isFree(seen, id, TIMINGS.lease(), clock());
      }

      private void claim(LeaseRow seen) {
        var before = clock();
        then(
            () -> {
              var isOurs = Simulation.this.claim(id, seen);
              var under = fence;
              if (!isOurs || isLost()) {
                then(this::pass);
                return;
              }
              then(() -> begin(under, before));
            });
      }

      private void begin(long under, long before) {
        var from = bug == Bug.TRUSTS_FROM_THE_ANSWER_ON ? clock() : before;
        lease =
            new Lease(
                new Lease.Claimed(SEGMENT, 0, 127, under, new StorePosition(EPOCH, 0), null),
                from + TIMINGS.trust().toNanos());
        later(1_000, () -> whenAwake(this::pass));
      }
    }
  }
}
