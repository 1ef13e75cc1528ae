package io.evento.scenario.workload;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Door;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.assertj.core.api.Assertions;

/** A reader at each node who asks for what comes next, again and again, whatever happens to it. */
public final class Followers implements AutoCloseable {

  /** An event as a follower saw it. */
  public record Seen(long position, UUID commandId) {}

  private static final Duration CATCH_UP = Duration.ofSeconds(30);
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(25);

  private static final String STORED =
      """
      select position, command_id from evento.event where position > ? order by position
      """;

  private final Cluster cluster;
  private final long from;
  private final List<One> all;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Set<String> surprises = ConcurrentHashMap.newKeySet();
  private volatile boolean stopping;

  public Followers(Cluster cluster) throws SQLException {
    this.cluster = cluster;
    this.from = head();
    this.all = cluster.doors().stream().map(One::new).toList();
    all.forEach(threads::execute);
  }

  /** Every follower saw every position since its start, in order, none twice, none missing. */
  public void sawEveryPositionInOrder() throws SQLException {
    var head = head();
    for (var one : all) {
      await(one.door + " sees position " + head).atMost(CATCH_UP).until(() -> one.last >= head);
    }
    close();
    var stored = stored();
    for (var one : all) {
      Assertions.assertThat(one.seen())
          .as("what was seen at %s", one.door)
          .startsWith(stored.toArray(Seen[]::new));
      Assertions.assertThat(one.outOfOrder).as("out of order at %s", one.door).isEmpty();
    }
    Assertions.assertThat(surprises).isEmpty();
  }

  /**
   * What was stored up to one head, and what each saw of it.
   *
   * @param seen by door
   */
  public record Comparison(Map<String, List<Seen>> seen, List<Seen> stored) {}

  /**
   * Up to the present head.
   *
   * @param patience for whoever is behind; what he has not seen by then is missing
   */
  public Comparison compare(Duration patience) throws SQLException {
    var head = head();
    var due = System.nanoTime() + patience.toNanos();
    while (System.nanoTime() - due < 0 && all.stream().anyMatch(one -> one.last < head)) {
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    var seen = new TreeMap<String, List<Seen>>();
    all.forEach(
        one ->
            seen.put(
                one.door.toString(),
                one.seen().stream().filter(event -> event.position() <= head).toList()));
    return new Comparison(
        seen, stored().stream().filter(event -> event.position() <= head).toList());
  }

  private long head() throws SQLException {
    try (var connection = cluster.administrator();
        var statement = connection.createStatement();
        var row = statement.executeQuery("select coalesce(max(position), 0) from evento.event")) {
      row.next();
      return row.getLong(1);
    }
  }

  private List<Seen> stored() throws SQLException {
    try (var connection = cluster.administrator();
        var select = connection.prepareStatement(STORED)) {
      select.setLong(1, from);
      var rows = select.executeQuery();
      var stored = new ArrayList<Seen>();
      while (rows.next()) {
        stored.add(new Seen(rows.getLong(1), rows.getObject(2, UUID.class)));
      }
      return stored;
    }
  }

  /** Answers that are not as documented; empty is good. */
  public List<String> surprises() {
    return List.copyOf(surprises);
  }

  @Override
  public void close() {
    stopping = true;
    threads.shutdown();
  }

  private final class One implements Runnable {

    private final Door door;
    private final List<Seen> seen = new ArrayList<>();
    private volatile String outOfOrder = "";
    private volatile long last = from;

    One(Door door) {
      this.door = door;
    }

    synchronized List<Seen> seen() {
      return List.copyOf(seen);
    }

    @Override
    public void run() {
      try {
        while (!stopping) {
          if (!reads()) {
            LockSupport.parkNanos(PAUSE_NANOS);
          }
        }
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
      }
    }

    /** Whether there was something new. An answer that should not be ends nobody's reading. */
    private boolean reads() throws InterruptedException {
      try {
        var page = door.get("events?limit=1000&after=" + last);
        page.body().path("events").forEach(this::see);
        return page.isSuccess() && !page.body().path("events").isEmpty();
      } catch (AssertionError undocumented) {
        surprises.add(door + " told a follower: " + undocumented.getMessage());
        return false;
      }
    }

    private synchronized void see(JsonNode event) {
      var position = event.path("position").asLong();
      if (position != last + 1) {
        outOfOrder = position + " came after " + last;
      }
      seen.add(new Seen(position, UUID.fromString(event.path("commandId").asText())));
      last = position;
    }
  }
}
