package io.evento.server.monitor;

import io.evento.protocol.ErrorCode;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.operation.WaitingCommands;
import io.evento.server.routing.session.Directory;
import io.evento.server.routing.session.Sessions;
import io.evento.server.telemetry.Kind;
import io.evento.server.telemetry.SeriesKey;
import io.evento.server.telemetry.TelemetryTable;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Commands that nobody handles though somebody sends them. */
@NodeScoped
public class HandlerAlarms implements AlarmRule {
  private static final int LOOK_BACK_SECONDS = 60;
  private static final int MOST = 100;

  private final WaitingCommands waiting;
  private final TelemetryTable telemetry;
  private final Sessions sessions;
  private final Directory directory;

  @Inject
  public HandlerAlarms(
      WaitingCommands waiting, TelemetryTable telemetry, Sessions sessions, Directory directory) {
    this.waiting = waiting;
    this.telemetry = telemetry;
    this.sessions = sessions;
    this.directory = directory;
  }

  @Override
  public Set<AlarmKind> kinds() {
    return Set.of(AlarmKind.HANDLER_MISSING);
  }

  @Override
  public List<Finding> find(NodeReports.Gathered reports) {
    var waits = waiting.byType();
    var failed = telemetry.failedBy(Kind.COMMAND, ErrorCode.NO_HANDLER.wire(), LOOK_BACK_SECONDS);
    var types = new TreeMap<>(waits);
    failed.keySet().forEach(type -> types.putIfAbsent(type, 0L));
    return types.keySet().stream()
        .filter(this::isHostedByNobody)
        .limit(MOST)
        .map(
            type ->
                new Finding(
                    AlarmKind.HANDLER_MISSING,
                    type,
                    "No bundle that is connected handles the command " + type,
                    Map.of(
                        "type",
                        type,
                        "waiting",
                        waits.getOrDefault(type, 0L),
                        "failed",
                        failed.getOrDefault(type, 0L))))
        .toList();
  }

  private boolean isHostedByNobody(String type) {
    return !type.equals(SeriesKey.OTHER)
        && sessions.hosting(type).isEmpty()
        && directory.hosting(type).isEmpty();
  }
}
