package io.evento.server.consumer.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.protocol.Rejection;
import io.evento.server.fixture.Seeds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Two nodes send what the rows of one table keep, and die; the database fails; answers get lost or
 * come late. The table and the outcomes that the store keeps, one per id, are models; the senders
 * are the server's own, on a clock of the simulation.
 */
class OutboxSimulationTest {
  private static final long SECOND = 1_000_000_000L;
  private static final int STEPS = 80;
  private static final int QUIET_STEPS_MAX = 400;
  private static final int NODES = 2;

  /** What is wrong around the senders, so that the simulation can be seen to find it. */
  private enum Bug {
    NONE,
    SENT_UNDER_NEW_IDS,
    SETTLED_BEFORE_THE_OUTCOME,
    DELAYS_FORGOTTEN,
    CLAIMS_OF_THE_DEAD_KEPT
  }

  /** It says of each refusal that it was one. */
  private static final Logger LOG = Logger.getLogger(OutboxSender.class.getName());

  @BeforeAll
  static void hush() {
    LOG.setLevel(Level.OFF);
  }

  @AfterAll
  static void speak() {
    LOG.setLevel(null);
  }

  @Test
  void each_row_comes_to_its_outcome_and_has_one_effect() {
    Seeds.all("outbox", random -> new Simulation(random, Bug.NONE).run());
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void a_bug_is_found(Bug bug) {
    assertThat(Seeds.firstBroken(random -> new Simulation(random, bug).run())).isNotEmpty();
  }

  private static final class Row {
    private final UUID id;
    private final String type;
    private int attempts;
    private long dueAt;
    private @Nullable UUID claimedBy;
    private long claimedUntil;
    private OutboxStore.@Nullable End end;

    Row(UUID id, String type) {
      this.id = id;
      this.type = type;
    }
  }

  private record Way(OutboxEntry entry, UUID under, CompletableFuture<Receipt> answer) {}

  private static final class Simulation {
    private final Random random;
    private final Bug bug;
    private final Map<UUID, Row> rows = new LinkedHashMap<>();
    private final Map<UUID, OutboxSender> senders = new LinkedHashMap<>();
    private final List<Way> underWay = new ArrayList<>();
    private final Map<UUID, Boolean> kept = new HashMap<>(); // outcome per id: done or rejected
    private final Map<UUID, Integer> effects = new HashMap<>(); // per row
    private long now = SECOND;
    private long nextId = 1;
    private boolean isAway;
    private boolean isQuiet;

    Simulation(Random random, Bug bug) {
      this.random = random;
      this.bug = bug;
      for (var i = 0; i < NODES; i++) {
        begin();
      }
    }

    private UUID newId() {
      return new UUID(5, nextId++);
    }

    private void begin() {
      var incarnation = newId();
      senders.put(
          incarnation,
          new OutboxSender(
              "outbox",
              new Table(),
              incarnation,
              this::send,
              () -> List.copyOf(senders.keySet()),
              () -> now));
    }

    void run() {
      for (var step = 0; step < STEPS; step++) {
        step(random.nextInt(10));
      }
      // Everybody lives and everything answers: all of it has to come to its end.
      isQuiet = true;
      isAway = false;
      for (var step = 0; step < QUIET_STEPS_MAX && isSomethingLeft(); step++) {
        now += SECOND;
        senders.values().forEach(OutboxSender::round);
        while (!underWay.isEmpty()) {
          answer();
        }
      }
      for (var row : rows.values()) {
        assertThat(row.end).as("end of %s after %d attempts", row.id, row.attempts).isNotNull();
        var isDone = Objects.requireNonNull(row.end).code() == null;
        assertThat(effects.getOrDefault(row.id, 0)).as("effects").isEqualTo(isDone ? 1 : 0);
      }
    }

    private boolean isSomethingLeft() {
      return rows.values().stream().anyMatch(row -> row.end == null);
    }

    private void step(int what) {
      switch (what) {
        case 0, 1 -> {
          var row = new Row(newId(), "T" + random.nextInt(3));
          rows.put(row.id, row);
        }
        case 2, 3, 4 -> any(senders.values()).round();
        case 5, 6 -> answer();
        case 7 -> now += random.nextInt(8) * SECOND / 2;
        case 8 -> isAway = random.nextInt(3) == 0;
        default -> {
          if (random.nextInt(3) == 0) {
            die();
          }
        }
      }
    }

    private <T> T any(Collection<T> of) {
      return List.copyOf(of).get(random.nextInt(of.size()));
    }

    /** Nobody hears any more of what it had under way; it comes back as another process. */
    private void die() {
      senders.remove(any(senders.keySet()));
      begin();
    }

    private CompletionStage<Receipt> send(OutboxEntry entry, CommandMessage.Command command) {
      assertThat(command.id()).as("id under which a row is sent").isEqualTo(entry.id());
      if (!isQuiet && random.nextInt(15) == 0) {
        throw new EventoException(ErrorCode.OVERLOADED, "full");
      }
      var under = bug == Bug.SENT_UNDER_NEW_IDS ? newId() : command.id();
      var way = new Way(entry, under, new CompletableFuture<>());
      underWay.add(way);
      return way.answer;
    }

    /** Of some command under way: it takes place or not, and its sender hears of it or not. */
    private void answer() {
      if (underWay.isEmpty()) {
        return;
      }
      var way = underWay.remove(random.nextInt(underWay.size()));
      var luck = isQuiet ? 0 : random.nextInt(10);
      if (luck == 9) {
        way.answer.completeExceptionally(new EventoException(ErrorCode.NO_HANDLER, "nobody"));
        return;
      }
      var isDone = kept.get(way.under);
      if (isDone == null) {
        isDone = random.nextInt(6) > 0;
        kept.put(way.under, isDone);
        if (isDone) {
          effects.merge(way.entry.id(), 1, Integer::sum);
        }
      }
      if (luck >= 7) {
        way.answer.completeExceptionally(
            new EventoException(ErrorCode.DEADLINE_EXCEEDED, "nobody knows"));
      } else if (isDone) {
        way.answer.complete(new Receipt(way.under, null, null, false));
      } else {
        way.answer.completeExceptionally(
            EventoException.rejected(new Rejection("no", "", null), null));
      }
    }

    private final class Table implements OutboxStore {

      private void awake() {
        if (isAway) {
          throw new IllegalStateException("the database does not answer");
        }
      }

      @Override
      public List<OutboxEntry> claim(
          UUID incarnation, Duration until, int max, Collection<String> without) {
        awake();
        var claimed = new ArrayList<OutboxEntry>();
        for (var row : due(without)) {
          if (claimed.size() < max) {
            row.claimedBy = incarnation;
            row.claimedUntil = now + until.toNanos();
            row.attempts++;
            claimed.add(
                new OutboxEntry(
                    row.id,
                    row.type,
                    Json.EMPTY_OBJECT,
                    null,
                    null,
                    null,
                    null,
                    "bundle bank",
                    "transfer",
                    row.attempts));
          }
        }
        return claimed;
      }

      private List<Row> due(Collection<String> without) {
        return rows.values().stream()
            .filter(row -> row.end == null && !without.contains(row.type) && row.dueAt <= now)
            .filter(row -> row.claimedBy == null || isOver(row))
            .toList();
      }

      private boolean isOver(Row row) {
        return bug != Bug.CLAIMS_OF_THE_DEAD_KEPT && row.claimedUntil <= now;
      }

      @Override
      public Duration untilNext(Duration max, Collection<String> without) {
        awake();
        return max;
      }

      @Override
      public void settle(Collection<End> ends) {
        awake();
        for (var end : ends) {
          var row = Objects.requireNonNull(rows.get(end.id()));
          if (row.end != null) {
            assertThat(end.code()).as("second end of %s", row.id).isEqualTo(row.end.code());
          }
          row.end = end;
        }
      }

      @Override
      public void delay(Collection<Delay> delays, UUID incarnation) {
        awake();
        for (var delay : delays) {
          var row = Objects.requireNonNull(rows.get(delay.id()));
          if (bug == Bug.SETTLED_BEFORE_THE_OUTCOME) {
            row.end = End.done(row.id, new Receipt(row.id, null, null, false));
          } else if (incarnation.equals(row.claimedBy)) {
            row.claimedBy = null;
            row.dueAt =
                bug == Bug.DELAYS_FORGOTTEN ? Long.MAX_VALUE : now + delay.pause().toNanos();
          }
        }
      }

      @Override
      public void releaseAllBut(Collection<UUID> live) {
        awake();
        var alive = Set.copyOf(live);
        Predicate<Row> isOfTheDead =
            row -> row.claimedBy != null && !alive.contains(row.claimedBy) && row.end == null;
        if (bug != Bug.CLAIMS_OF_THE_DEAD_KEPT) {
          new HashSet<>(rows.values())
              .stream().filter(isOfTheDead).forEach(row -> row.claimedBy = null);
        }
      }
    }
  }
}
