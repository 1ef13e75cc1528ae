package io.evento.server.cluster;

import io.evento.server.Threads;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.setting.Settings;
import java.util.Map;

/** The settings of a node that nobody configured. */
public final class StandardSettings {
  private StandardSettings() {}

  public static Settings of(Database database, EntityManagers managers, Threads threads) {
    return new Settings(database, managers, threads, Map.of());
  }
}
