package io.evento.scenario.workload;

import static java.util.Comparator.comparing;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Movement;
import io.evento.scenario.fixture.Outcome;
import io.evento.scenario.fixture.Told;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;

/**
 * What the callers were told, beside what the database holds. Written by many callers, read by the
 * {@link LedgerAssert judge} when they have ended.
 */
public final class Ledger {

  /** An event as the database holds it. */
  public record StoredEvent(
      long position, long version, String stream, UUID commandId, String type, long amount) {}

  /** Money that went in and out, ever. */
  public record Sums(long deposited, long withdrawn) {
    public Sums plus(Sums other) {
      return new Sums(deposited + other.deposited, withdrawn + other.withdrawn);
    }
  }

  private static final String EVENTS =
      """
      select position, version, stream_id, command_id, type,
             coalesce((payload::jsonb->>'amount')::bigint, 0)
        from evento.event where starts_with(stream_id, ?) order by position
      """;

  private static final String RESULTS =
      """
      select command_id, kind, body from evento.command_result where starts_with(stream_id, ?)
      """;

  // As the bank: what transfers move between accounts came neither from outside nor went there.
  private static final String SUMS =
      """
      select coalesce(sum((payload::jsonb->>'amount')::bigint) filter (where type = 'MoneyDeposited'), 0),
             coalesce(sum((payload::jsonb->>'amount')::bigint) filter (where type = 'MoneyWithdrawn'), 0)
        from evento.event
       where context = 'bank'
         and not starts_with(coalesce(payload::jsonb->>'reference', ''), 'transfer:')
      """;

  private static final String HOLES =
      """
      select count(*), coalesce(min(position), 1), coalesce(max(position), 0) from evento.event
      """;

  private static final int REPEATED_MAX = 10_000;

  private final Cluster cluster;
  private final String prefix;
  private final long seed;
  private final Sums before;
  private final Map<UUID, Told> told = new ConcurrentHashMap<>();
  private final Map<String, Integer> tries = new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<String> surprises = new ConcurrentLinkedQueue<>();
  private Map<UUID, Outcome> heardAgain = Map.of();
  private volatile String stage = "undisturbed";

  public Ledger(Cluster cluster, String prefix, long seed) {
    this.cluster = cluster;
    this.prefix = prefix;
    this.seed = seed;
    this.before = sums();
  }

  public void enter(String next) {
    stage = next;
  }

  public String stage() {
    return stage;
  }

  public void told(Told outcome) {
    told.put(outcome.movement().id(), outcome);
  }

  public void tried(String code) {
    tries.merge(code, 1, Integer::sum);
  }

  public void surprised(Movement movement, String what) {
    surprises.add(movement + ": " + what);
  }

  /** By a part of all that has room in some minutes; it is said of which. */
  public void hearAgain(Function<List<Movement>, Map<UUID, Outcome>> repeat) {
    var all = new ArrayList<>(told.values().stream().map(Told::movement).toList());
    Collections.shuffle(all, new Random(seed));
    heardAgain = repeat.apply(all.subList(0, Math.min(REPEATED_MAX, all.size())));
  }

  /** How the ids of its accounts begin. */
  public String prefix() {
    return prefix;
  }

  public int count() {
    return told.size();
  }

  public Map<UUID, Told> told() {
    return told;
  }

  /** How often callers were told what made them try again. */
  public Map<String, Integer> tries() {
    return tries;
  }

  public List<String> surprises() {
    return List.copyOf(surprises);
  }

  public Map<UUID, Outcome> heardAgain() {
    return heardAgain;
  }

  public Optional<Told> longestWait() {
    return told.values().stream().max(comparing(Told::waited));
  }

  /** The longest wait of each stage, in milliseconds. */
  public Map<String, Long> longestWaits() {
    var longest = new TreeMap<String, Long>();
    for (var one : told.values()) {
      longest.merge(one.stage(), one.waited().toMillis(), Math::max);
    }
    return longest;
  }

  /** Deposits and withdrawals that callers were told of. */
  public Sums acknowledged() {
    return new Sums(sum(Movement.Kind.DEPOSIT), sum(Movement.Kind.WITHDRAW));
  }

  private long sum(Movement.Kind kind) {
    return told.values().stream()
        .filter(one -> one.outcome().isStored() && one.movement().kind() == kind)
        .mapToLong(one -> one.movement().amount())
        .sum();
  }

  /** What the bank's totals must be: what was there before, and what callers were told of. */
  public Sums expectedTotals() {
    return before.plus(acknowledged());
  }

  public List<StoredEvent> events() {
    try (var connection = cluster.administrator();
        var select = connection.prepareStatement(EVENTS)) {
      select.setString(1, "Account:" + prefix);
      var rows = select.executeQuery();
      var events = new ArrayList<StoredEvent>();
      while (rows.next()) {
        events.add(
            new StoredEvent(
                rows.getLong(1),
                rows.getLong(2),
                rows.getString(3),
                rows.getObject(4, UUID.class),
                rows.getString(5),
                rows.getLong(6)));
      }
      return events;
    } catch (SQLException failure) {
      throw new IllegalStateException("cannot read the events", failure);
    }
  }

  /** Kept outcomes without events: the rejection, or else the kind. */
  public Map<UUID, String> results() {
    try (var connection = cluster.administrator();
        var select = connection.prepareStatement(RESULTS)) {
      select.setString(1, "Account:" + prefix);
      var rows = select.executeQuery();
      var results = new HashMap<UUID, String>();
      while (rows.next()) {
        results.put(
            rows.getObject(1, UUID.class),
            rows.getInt(2) == 1 ? rows.getString(3) : "kind " + rows.getInt(2));
      }
      return results;
    } catch (SQLException failure) {
      throw new IllegalStateException("cannot read the kept outcomes", failure);
    }
  }

  /** Empty if the positions of the whole store are 1, 2, 3 and so on. */
  public String holes() {
    try (var connection = cluster.administrator();
        var statement = connection.createStatement();
        var row = statement.executeQuery(HOLES)) {
      row.next();
      return row.getLong(2) == 1 && row.getLong(1) == row.getLong(3)
          ? ""
          : row.getLong(1) + " events from " + row.getLong(2) + " to " + row.getLong(3);
    } catch (SQLException failure) {
      throw new IllegalStateException("cannot count the events", failure);
    }
  }

  private Sums sums() {
    try (var connection = cluster.administrator();
        var statement = connection.createStatement();
        var row = statement.executeQuery(SUMS)) {
      row.next();
      return new Sums(row.getLong(1), row.getLong(2));
    } catch (SQLException failure) {
      throw new IllegalStateException("cannot add up the events", failure);
    }
  }

  /** The bank's totals as any node answers them now; empty if none does. */
  public Sums projectedTotals() throws InterruptedException {
    for (var door : cluster.doors()) {
      var answer = door.query("Totals", Map.of());
      if (answer.isSuccess()) {
        return new Sums(
            answer.body().path("deposited").asLong(), answer.body().path("withdrawn").asLong());
      }
    }
    return new Sums(-1, -1);
  }

  /** Balances of this run's accounts as the bank shows them. */
  public Map<String, Long> projectedBalances() throws InterruptedException {
    var balances = new TreeMap<String, Long>();
    var after = prefix;
    while (true) {
      var page =
          cluster.doors().get(0).query("ListAccounts", Map.of("limit", 1000, "after", after));
      for (JsonNode account : page.body().path("accounts")) {
        var id = account.path("accountId").asText();
        if (!id.startsWith(prefix)) {
          return balances;
        }
        balances.put(id, account.path("balance").asLong());
      }
      if (!page.body().path("next").isTextual()) {
        return balances;
      }
      after = page.body().path("next").asText();
    }
  }

  @Override
  public String toString() {
    return "%d outcomes, %d of them rejections, longest wait %s, by stage %s, answers to go on after %s, seed=%d"
        .formatted(
            told.size(),
            told.values().stream().filter(one -> !one.outcome().isStored()).count(),
            longestWait()
                .map(one -> one.waited().toMillis() + " ms (" + one.story() + ")")
                .orElse("none"),
            longestWaits(),
            new TreeMap<>(tries),
            seed);
  }
}
