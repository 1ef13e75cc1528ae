package io.evento.server.aggregate;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.EventoException;
import io.evento.server.aggregate.HistoryReader.Told;
import io.evento.server.routing.PayloadLimits;
import io.evento.server.routing.command.CommandHandlers.Host;
import io.evento.server.routing.session.SnapshotRule;
import io.evento.server.setting.Setting;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * The snapshots of one stream, as one decision asks for them and keeps them. A snapshot is a
 * convenience: one that cannot be kept is asked for again later.
 */
final class StreamSnapshots {
  private static final Logger LOG = System.getLogger(StreamSnapshots.class.getName());

  /** A rebuild that takes longer is worth a snapshot. */
  private static final long REBUILD_DEAR_MICROS = 20_000;

  private final DecisionContext room;
  private final StreamQueue streamQueue;
  private final String command;
  private final DecideMessage.Aggregate aggregate;

  StreamSnapshots(
      DecisionContext room,
      StreamQueue streamQueue,
      String command,
      DecideMessage.Aggregate aggregate) {
    this.room = room;
    this.streamQueue = streamQueue;
    this.command = command;
    this.aggregate = aggregate;
  }

  /** Whether the host keeps snapshots and it is time for one; asked again, it is not. */
  boolean takeTurn(Host host) {
    return rule(host).filter(rule -> streamQueue.takeSnapshotTurn(every(rule))).isPresent();
  }

  /**
   * Whether the host keeps snapshots, and is told so much that it should not have to be again: the
   * turn that came before went to a host without the state, which had nothing to tell.
   */
  boolean takeTurn(Host host, Told history) {
    var events = history.parts().stream().mapToInt(part -> part.events().size()).sum();
    return rule(host)
        .filter(rule -> events >= every(rule) && streamQueue.takeToldTurn(every(rule)))
        .isPresent();
  }

  private int every(SnapshotRule rule) {
    return rule.every() > 0 ? rule.every() : room.loop.settings().get(Setting.SNAPSHOT_EVENTS);
  }

  /** The schema of the states that the host can use; null if it keeps none. */
  @Nullable String schema(Host host) {
    return rule(host).map(SnapshotRule::schema).orElse(null);
  }

  private Optional<SnapshotRule> rule(Host host) {
    return room.loop.commandHandlers().snapshots(host, command, aggregate.type());
  }

  /** Looks how long the handler took to have its state. */
  void answered(Decided decided) {
    if (decided.micros() > REBUILD_DEAR_MICROS) {
      streamQueue.wantSnapshot();
    }
  }

  /**
   * Keeps the state that came with an answer, if one did; later, and without a word if not. Only of
   * what is stored.
   */
  void keep(Decided decided) {
    var state = decided.state();
    var tip = decided.tip();
    if (state == null || tip == null || tip.version() == 0) {
      return;
    }
    streamQueue.hasSnapshot();
    try {
      PayloadLimits.checkSize(state.state(), room.loop.settings().get(Setting.PAYLOAD_BYTES_MAX));
      room.loop
          .readers()
          .execute(
              () -> {
                try {
                  room.snapshots.store(
                      aggregate.stream(), tip, state.schema(), state.state().text());
                } catch (RuntimeException failure) {
                  notKept(failure);
                }
              });
    } catch (EventoException | RejectedExecutionException unkept) {
      notKept(unkept);
    }
  }

  private void notKept(RuntimeException why) {
    LOG.log(Level.WARNING, () -> "snapshot not kept stream=" + aggregate.stream() + " " + why);
  }
}
