package io.evento.server.console;

import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.DatabaseFigures;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** The PostgreSQL below the nodes. */
@NodeScoped
@Path("database")
@Produces(MediaType.APPLICATION_JSON)
public class DatabaseResource {
  @Inject private AdminCalls adminCalls;
  @Inject private Database database;

  /**
   * @param lookMillis how long the look itself took, there and back
   */
  record DatabaseView(
      String version,
      String startedAt,
      long bytes,
      int connections,
      int connectionsMax,
      String fsync,
      String fullPageWrites,
      String synchronousCommit,
      double cacheHits,
      double lookMillis,
      List<DatabaseFigures.Table> tables) {}

  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> look() {
    return adminCalls.view(
        () -> {
          var begun = System.nanoTime();
          var seen = database.read("look at PostgreSQL", DatabaseFigures::look);
          return new DatabaseView(
              seen.version(),
              seen.startedAt().toString(),
              seen.bytes(),
              seen.connections(),
              seen.connectionsMax(),
              seen.fsync(),
              seen.fullPageWrites(),
              seen.synchronousCommit(),
              seen.cacheHits(),
              (System.nanoTime() - begun) / 1e6,
              seen.tables());
        });
  }
}
