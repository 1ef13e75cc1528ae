package io.evento.server.monitor;

import io.evento.server.NodeScoped;
import io.evento.server.verify.VerifyTable;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a run that verifies the store has found, until a later one goes through and finds nothing.
 */
@NodeScoped
public class StoreAlarms implements AlarmRule {
  private final VerifyTable runs;

  @Inject
  public StoreAlarms(VerifyTable runs) {
    this.runs = runs;
  }

  @Override
  public Set<AlarmKind> kinds() {
    return Set.of(AlarmKind.STORE_DAMAGED);
  }

  @Override
  public List<Finding> find(NodeReports.Gathered reports) {
    return runs.broken().stream()
        .map(
            run ->
                new Finding(
                    AlarmKind.STORE_DAMAGED,
                    "",
                    "Run " + run.id() + " of verify found what must not be in the store",
                    Map.of("run", run.id(), "findings", run.counts().findings())))
        .toList();
  }
}
