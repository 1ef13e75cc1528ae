package io.evento.server.eventstore;

import io.evento.protocol.Tip;
import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.util.Optional;

/** The newest known state of each stream; a cache, safe to empty. */
@NodeScoped
public class SnapshotTable {
  private final Database database;

  @Inject
  public SnapshotTable(Database database) {
    this.database = database;
  }

  /**
   * A state of a stream.
   *
   * @param state JSON
   */
  public record StoredSnapshot(Tip tip, String state) {}

  /**
   * Keeps a state, if its tip exists in the stream and nothing newer is kept.
   *
   * @param schema names the shape of the state
   * @return whether it was kept
   */
  public boolean store(String stream, Tip tip, String schema, String state) {
    throw new UnsupportedOperationException("next commit " + database);
  }

  /** The kept state of a stream; empty if there is none in that schema. */
  public Optional<StoredSnapshot> load(String stream, String schema) {
    throw new UnsupportedOperationException("next commit");
  }
}
