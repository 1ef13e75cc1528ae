package io.evento.server.eventstore;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.EventoException;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.append.AppendResult;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Callers that append to streams of their own and to shared ones, reject, answer for services and
 * repeat old ids, on one or more nodes; and the comparison of what they were told with the tables.
 */
public final class Workload {
  private static final int SHARED_STREAMS = 3;

  private final long seed = new Random().nextLong();
  private final AtomicBoolean stopped = new AtomicBoolean();
  private final Map<UUID, Told> told = new ConcurrentHashMap<>();
  private final List<String> wrong = new CopyOnWriteArrayList<>();
  private final AtomicInteger stale = new AtomicInteger();
  private final AtomicInteger repeated = new AtomicInteger();
  private final List<Thread> callers = new ArrayList<>();

  private record Told(AppendRequest request, AppendResult result) {
    Instant recordedAt() {
      return result instanceof AppendResult.Appended done
          ? done.recordedAt()
          : ((AppendResult.Kept) result).recordedAt();
    }
  }

  /** Starts callers on a node. */
  public void callers(StoreNode node, int count) {
    for (var i = 0; i < count; i++) {
      var caller = new Caller(node, "Own:" + UUID.randomUUID(), new Random(seed + callers.size()));
      var thread = new Thread(caller, "caller-" + callers.size());
      thread.start();
      callers.add(thread);
    }
  }

  /** How many outcomes were told so far. */
  public int told() {
    return told.size();
  }

  public int repeated() {
    return repeated.get();
  }

  public int stale() {
    return stale.get();
  }

  public void stop() throws InterruptedException {
    stopped.set(true);
    for (var caller : callers) {
      caller.join(30_000);
      assertThat(caller.isAlive()).as("seed %s: %s hangs", seed, caller).isFalse();
    }
  }

  private final class Caller implements Runnable {
    private final StoreNode node;
    private final String own;
    private final Random random;
    private final Map<String, Tip> tips = new ConcurrentHashMap<>();

    Caller(StoreNode node, String own, Random random) {
      this.node = node;
      this.own = own;
      this.random = random;
    }

    @Override
    public void run() {
      while (!stopped.get()) {
        try {
          step();
        } catch (CompletionException failure) {
          if (!(failure.getCause() instanceof EventoException)) {
            wrong.add("seed " + seed + ": " + failure);
            return;
          }
        }
      }
    }

    private void step() {
      switch (random.nextInt(10)) {
        case 0 -> send(AppendRequests.ofService().body("\"" + random.nextInt() + "\"").answer());
        case 1 -> send(on(stream()).body("{\"code\":\"no\"}").rejected());
        case 2 -> repeat();
        case 3 -> {
          var shared = shared();
          send(on(own).and(shared, tip(shared)).eventOf(1, "B").eventOf(0, "A").events());
        }
        default -> {
          var request = on(stream());
          for (var events = 0; events <= random.nextInt(3); events++) {
            request.event("A", "tag:" + random.nextInt(10));
          }
          send(request.events());
        }
      }
    }

    private String stream() {
      return random.nextInt(3) == 0 ? shared() : own;
    }

    private String shared() {
      return "Shared:" + random.nextInt(SHARED_STREAMS);
    }

    private Tip tip(String stream) {
      return tips.getOrDefault(stream, Tip.EMPTY);
    }

    private AppendRequests on(String stream) {
      return AppendRequests.on(stream, tip(stream));
    }

    private void send(AppendRequest appendRequest) {
      var appendResult = node.append(appendRequest);
      if (appendResult instanceof AppendResult.Stale refused) {
        stale.incrementAndGet();
        refused.now().forEach(now -> tips.put(now.stream(), now.tip()));
        return;
      }
      if (appendResult instanceof AppendResult.Appended done) {
        for (var i = 0; i < appendRequest.bases().size(); i++) {
          tips.put(appendRequest.bases().get(i).stream(), done.tips().get(i));
        }
      }
      told.put(appendRequest.commandId(), new Told(appendRequest, appendResult));
    }

    private void repeat() {
      var some = told.entrySet().stream().skip(random.nextInt(20)).findFirst();
      if (some.isEmpty()) {
        return;
      }
      var id = some.get().getKey();
      var first = some.get().getValue();
      var appendResult =
          node.append(AppendRequests.on(own, tip(own)).id(id).event("Twice").events());
      repeated.incrementAndGet();
      if (!(appendResult instanceof AppendResult.Duplicate duplicate)
          || !duplicate.recordedAt().equals(first.recordedAt())) {
        wrong.add("seed " + seed + ": first " + first + ", repeated " + appendResult);
      }
    }
  }

  /** Every outcome that was told stands in the tables as it was told, and the tables are whole. */
  public void compare(Connection tables) throws SQLException {
    assertThat(wrong).isEmpty();
    compareOutcomes(tables);
    none(
        tables,
        "a hole",
        "select max(position) - count(*) from evento.event having max(position) <> count(*)");
    none(
        tables,
        "an id that is both",
        "select command_id from evento.event join evento.command_result using (command_id)");
    none(
        tables,
        "a stream with holes",
        "select stream_id from evento.event group by stream_id having max(version) <> count(*)");
    none(
        tables,
        "a command with holes",
        """
        select command_id from evento.event group by command_id
        having max(ord) + 1 <> count(*) or max(position) - min(position) + 1 <> count(*)
        """);
    none(
        tables,
        "a time that went back",
        """
        select position from (select position, recorded_at < lag(recorded_at) over (order by position) as back
                                from evento.event) e where back
        """);
  }

  private void compareOutcomes(Connection tables) throws SQLException {
    try (var event =
            tables.prepareStatement(
                """
                select command_id, stream_id, version, decision, recorded_at
                  from evento.event where position = ?
                """);
        var kept =
            tables.prepareStatement(
                """
                select kind, body, position_seen from evento.command_result where command_id = ?
                """)) {
      for (var entry : told.entrySet()) {
        var appendRequest = entry.getValue().request();
        var appendResult = entry.getValue().result();
        if (appendResult instanceof AppendResult.Appended done) {
          for (var i = 0; i < appendRequest.events().size(); i++) {
            event.setLong(1, done.first().position() + i);
            try (var row = event.executeQuery()) {
              assertThat(row.next()).as("seed %s: %s is lost", seed, done).isTrue();
              assertThat(row.getObject(1, UUID.class)).isEqualTo(entry.getKey());
              assertThat(row.getString(2))
                  .isEqualTo(
                      appendRequest.bases().get(appendRequest.events().get(i).basis()).stream());
              assertThat(row.getLong(4)).isEqualTo(appendRequest.decision());
            }
          }
        } else if (appendResult instanceof AppendResult.Kept outcome) {
          kept.setObject(1, entry.getKey());
          try (var row = kept.executeQuery()) {
            assertThat(row.next()).as("seed %s: %s is lost", seed, outcome).isTrue();
            assertThat(row.getInt(1)).isEqualTo(appendRequest.kind().code());
            assertThat(row.getString(2)).isEqualTo(appendRequest.body());
            assertThat(row.getLong(3)).isEqualTo(outcome.seen().position());
          }
        } else {
          throw new AssertionError("seed " + seed + ": a new command was told " + appendResult);
        }
      }
    }
  }

  private void none(Connection tables, String what, String query) throws SQLException {
    try (var statement = tables.createStatement();
        var rows = statement.executeQuery(query)) {
      assertThat(rows.next()).as("seed %s: %s", seed, what).isFalse();
    }
  }
}
