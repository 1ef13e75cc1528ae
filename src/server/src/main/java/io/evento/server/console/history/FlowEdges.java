package io.evento.server.console.history;

import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.console.AdminCalls;
import io.evento.server.consumer.segment.ConsumerRow;
import io.evento.server.consumer.step.CommandId;
import io.evento.server.eventstore.read.OutcomeReader;
import io.evento.server.persistence.EntityManagers;
import jakarta.inject.Inject;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What joins the commands and events of a flow. Commands of sagas and observers have ids that
 * follow from what they were sent upon, so whoever knows an event knows which commands to look for,
 * each by a primary key. Blocks on the database.
 */
@NodeScoped
public class FlowEdges {
  /** Steps with more commands than this are rare; what they send beyond still shows its events. */
  private static final int COMMANDS_OF_A_STEP = 3;

  private static final int IDS_MAX = 6_000;
  static final int ROWS_MAX = 200;

  private final EntityManagers managers;
  private final OutcomeReader outcomes;

  @Inject
  public FlowEdges(EntityManagers managers, OutcomeReader outcomes) {
    this.managers = managers;
    this.outcomes = outcomes;
  }

  /**
   * By whom a command was sent.
   *
   * @param position of the event that it was sent upon; absent if it was the outcome of a command
   * @param commandId whose event or outcome that was
   */
  record SentView(String consumer, @Nullable Long position, UUID commandId) {}

  /**
   * @param settled whether it has an outcome that its saga has not heard yet
   */
  record WaitingView(
      UUID commandId,
      String consumer,
      String type,
      String key,
      int attempts,
      String createdAt,
      boolean settled,
      @Nullable String error) {}

  /**
   * @param failedAt absent if it waits behind another one of its key
   */
  record LetterView(
      UUID id,
      String consumer,
      int version,
      long position,
      int attempts,
      @Nullable String failedAt,
      @Nullable String cause) {}

  /**
   * Commands that may have been sent.
   *
   * @param isCut whether there might be more than are looked for at once
   */
  record Might(Map<UUID, SentView> sent, boolean isCut) {
    private static Might of(Map<UUID, SentView> sent) {
      return new Might(sent, sent.size() >= IDS_MAX);
    }
  }

  /** Upon so many events all that these senders may have sent can be looked for at once. */
  static int eventsMax(List<String> senders) {
    return Math.max(1, (IDS_MAX - 1) / Math.max(1, 2 * COMMANDS_OF_A_STEP * senders.size()));
  }

  /**
   * The commands that sagas and observers may have sent upon events and their commands' outcomes.
   *
   * @param events at most {@link #eventsMax} of them, or not all is looked for
   */
  Might upon(List<String> senders, List<RecordedEvent> events) {
    var found = new HashMap<UUID, SentView>();
    if (events.isEmpty()) {
      return Might.of(found);
    }
    var ordinals = outcomes.ordinals(events.stream().map(RecordedEvent::position).toList());
    for (var event : events) {
      var ordinal = ordinals.getOrDefault(event.position(), 0);
      for (var sender : senders) {
        for (var number = 0; number < COMMANDS_OF_A_STEP && found.size() < IDS_MAX; number++) {
          found.put(
              CommandId.uponEvent(sender, event.commandId(), ordinal, number),
              new SentView(sender, event.position(), event.commandId()));
          found.putIfAbsent(
              CommandId.uponOutcome(sender, event.commandId(), number),
              new SentView(sender, null, event.commandId()));
        }
      }
    }
    return Might.of(found);
  }

  /** Those that they may have sent upon outcomes without events. */
  Might uponOutcomes(List<String> senders, Collection<UUID> commands) {
    var found = new HashMap<UUID, SentView>();
    for (var sender : senders) {
      for (var command : commands) {
        for (var number = 0; number < COMMANDS_OF_A_STEP && found.size() < IDS_MAX; number++) {
          found.put(
              CommandId.uponOutcome(sender, command, number), new SentView(sender, null, command));
        }
      }
    }
    return Might.of(found);
  }

  /** The sagas and observers that there are. */
  List<String> senders() {
    return managers.read(
        manager ->
            manager
                .createQuery(
                    "select c from ConsumerRow c where c.kind in ('saga', 'observer')",
                    ConsumerRow.class)
                .getResultStream()
                .map(ConsumerRow::name)
                .distinct()
                .toList());
  }

  /** Those of some commands that wait in the outbox. */
  List<WaitingView> waiting(Collection<UUID> ids) {
    if (ids.isEmpty()) {
      return List.of();
    }
    return managers.read(
        manager ->
            manager
                .createQuery(
                    "select c.id, c.name, c.type, c.key, c.attempts, c.createdAt, c.settledAt,"
                        + " c.error from ConsumerCommandRow c where c.id in :ids",
                    Object[].class)
                .setParameter("ids", ids)
                .setMaxResults(ROWS_MAX)
                .getResultStream()
                .map(
                    row ->
                        new WaitingView(
                            (UUID) row[0],
                            (String) row[1],
                            (String) row[2],
                            (String) row[3],
                            (Integer) row[4],
                            AdminCalls.time((OffsetDateTime) row[5]),
                            row[6] != null,
                            (String) row[7]))
                .toList());
  }

  /** What consumers failed on of some events; through the index by consumer and position. */
  List<LetterView> letters(List<RecordedEvent> events) {
    if (events.isEmpty()) {
      return List.of();
    }
    return managers.read(
        manager -> {
          var names =
              manager
                  .createQuery("select distinct c.name from ConsumerRow c", String.class)
                  .getResultList();
          var versions =
              manager
                  .createQuery("select distinct c.version from ConsumerRow c", Integer.class)
                  .getResultList();
          if (names.isEmpty()) {
            return List.<LetterView>of();
          }
          return manager
              .createQuery(
                  "select d.id, d.name, d.version, d.position, d.attempts, d.failedAt, d.cause"
                      + " from DeadLetterRow d where d.name in :names and d.version in :versions"
                      + " and d.position in :positions and d.droppedAt is null"
                      + " order by d.position",
                  Object[].class)
              .setParameter("names", names)
              .setParameter("versions", versions)
              .setParameter("positions", events.stream().map(RecordedEvent::position).toList())
              .setMaxResults(ROWS_MAX)
              .getResultStream()
              .map(
                  row ->
                      new LetterView(
                          (UUID) row[0],
                          (String) row[1],
                          (Integer) row[2],
                          (Long) row[3],
                          (Integer) row[4],
                          row[5] == null ? null : AdminCalls.time((OffsetDateTime) row[5]),
                          (String) row[6]))
              .toList();
        });
  }
}
