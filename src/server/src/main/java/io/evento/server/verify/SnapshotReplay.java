package io.evento.server.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.evento.protocol.DecideMessage.Aggregate;
import io.evento.server.NodeScoped;
import io.evento.server.aggregate.PastStates;
import io.evento.server.catalog.PayloadRow;
import io.evento.server.eventstore.proof.Finding;
import io.evento.server.eventstore.proof.FindingKind;
import io.evento.server.eventstore.proof.TableChecks;
import io.evento.server.eventstore.proof.TableChecks.Snapshot;
import io.evento.server.persistence.EntityManagers;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.StreamSupport;

/**
 * Has snapshots made anew by the handlers of their aggregates, from the first event on, and
 * compares. What is personal in a state is compared by its subject only: its text depends on the
 * key that was the newest then. What a list has is compared, and not in which order: a set becomes
 * a list in another order in each process. A stream with events of an erased subject is not
 * compared, nor is a state that handlers make in another way each time.
 */
@NodeScoped
public class SnapshotReplay {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  /** What is longer would keep a bundle from its work. */
  private static final long EVENTS_MAX = 10_000;

  /** As the SDK marks an encrypted value, and names its subject. */
  private static final String SEALED = "$p";

  private static final String SUBJECT = "s";

  private final PastStates pastStates;
  private final TableChecks tables;
  private final EntityManagers managers;

  @Inject
  public SnapshotReplay(PastStates pastStates, TableChecks tables, EntityManagers managers) {
    this.pastStates = pastStates;
    this.tables = tables;
    this.managers = managers;
  }

  /**
   * What came of one.
   *
   * @param isMade whether a bundle made the state
   * @param finding if it is another one
   */
  record Replay(boolean isMade, Optional<Finding> finding) {
    static final Replay NOT_MADE = new Replay(false, Optional.empty());
  }

  /** Blocks for some seconds at most. */
  Replay of(Snapshot snapshot) throws InterruptedException {
    var colon = snapshot.stream().indexOf(':');
    if (colon < 1 || snapshot.version() > EVENTS_MAX) {
      return Replay.NOT_MADE;
    }
    var aggregate =
        new Aggregate(
            snapshot.stream().substring(0, colon), snapshot.stream().substring(colon + 1));
    var command = command(aggregate.type());
    if (command.isEmpty()) {
      return Replay.NOT_MADE;
    }
    try {
      var made = make(aggregate, command.get(), snapshot);
      if (isSame(snapshot.state(), made)) {
        return new Replay(true, Optional.empty());
      }
      return tables.isOfErased(snapshot.stream())
              || !isSame(made, make(aggregate, command.get(), snapshot))
          ? Replay.NOT_MADE
          : new Replay(true, Optional.of(differs(snapshot)));
    } catch (ExecutionException | TimeoutException notMade) {
      return Replay.NOT_MADE;
    }
  }

  /**
   * @throws TimeoutException if it took too long; then no further leg is told
   */
  private String make(Aggregate aggregate, String command, Snapshot snapshot)
      throws InterruptedException, ExecutionException, TimeoutException {
    return pastStates
        .replay(aggregate, command, snapshot.version(), snapshot.schema(), DEADLINE)
        .toCompletableFuture()
        .get(DEADLINE.toMillis(), TimeUnit.MILLISECONDS)
        .state()
        .text();
  }

  private static Finding differs(Snapshot snapshot) {
    return new Finding(
        FindingKind.SNAPSHOT_DIFFERS,
        null,
        snapshot.stream(),
        "The snapshot of version "
            + snapshot.version()
            + " is not what the handlers make of the events: it was changed, or they were, without"
            + " another version of the state's schema");
  }

  private Optional<String> command(String aggregateType) {
    return managers.read(
        manager ->
            manager
                .createQuery(
                    "select p from PayloadRow p where p.kind = 'command'"
                        + " and p.componentKind = 'aggregate' and p.component = :type"
                        + " order by p.type",
                    PayloadRow.class)
                .setParameter("type", aggregateType)
                .setMaxResults(1)
                .getResultStream()
                .findFirst()
                .map(PayloadRow::type));
  }

  /** Whether two states are the same, as far as that can be said. */
  public static boolean isSame(String kept, String made) {
    try {
      return masked(JSON.readTree(kept)).equals(masked(JSON.readTree(made)));
    } catch (JsonProcessingException damaged) {
      return false;
    }
  }

  private static JsonNode masked(JsonNode node) {
    if (node instanceof ArrayNode list) {
      var sorted = JSON.createArrayNode();
      StreamSupport.stream(list.spliterator(), false)
          .map(SnapshotReplay::masked)
          .sorted(Comparator.comparing(JsonNode::toString))
          .forEach(sorted::add);
      return sorted;
    }
    if (node instanceof ObjectNode object) {
      if (object.has(SEALED)) {
        return TextNode.valueOf("personal " + object.path(SUBJECT).asText());
      }
      var sorted = JSON.createObjectNode();
      object.properties().stream()
          .sorted(Map.Entry.comparingByKey())
          .forEach(member -> sorted.set(member.getKey(), masked(member.getValue())));
      return sorted;
    }
    return node;
  }
}
