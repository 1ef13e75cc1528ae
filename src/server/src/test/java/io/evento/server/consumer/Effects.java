package io.evento.server.consumer;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Receipt;
import io.evento.server.routing.Fingerprints;
import io.evento.server.routing.command.CommandOutcomes;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Services that run what consumers send, and keep each outcome as the store does: one per id, the
 * first one for ever.
 */
public final class Effects implements AutoCloseable {
  private static final int WORKERS = 6;

  private final ExecutorService workers = Executors.newFixedThreadPool(WORKERS);
  private final BlockingQueue<Connection> connections = new ArrayBlockingQueue<>(WORKERS);
  private final Map<UUID, String> ran = new ConcurrentHashMap<>();
  public volatile boolean isStopped;

  /** What everything is refused with, and nothing is kept of; null for nothing. */
  volatile @Nullable public EventoException refusal;

  public Effects(TestDatabase where) throws SQLException {
    for (var i = 0; i < WORKERS; i++) {
      connections.add(where.asAdmin());
    }
  }

  /** What took effect, as type and payload, each once per id. */
  public List<String> all() {
    return List.copyOf(ran.values());
  }

  public CompletionStage<Receipt> run(CommandMessage.Command command) {
    return CompletableFuture.supplyAsync(
        () -> {
          LockSupport.parkNanos(
              TimeUnit.MICROSECONDS.toNanos(ThreadLocalRandom.current().nextInt(3_000)));
          if (isStopped) {
            throw new EventoException(ErrorCode.NO_HANDLER, "stopped");
          }
          var refused = refusal;
          if (refused != null) {
            throw refused;
          }
          var open = connections.remove();
          try {
            return keep(open, command);
          } catch (SQLException failure) {
            throw new IllegalStateException(failure);
          } finally {
            connections.add(open);
          }
        },
        workers);
  }

  private Receipt keep(Connection open, CommandMessage.Command command) throws SQLException {
    var hash = Fingerprints.hash(command.type(), command.payload());
    try (var insert =
        open.prepareStatement(
            """
                insert into evento.command_result
                       (command_id, hash, position_seen, recorded_at, kind, body)
                values (?, ?, 0, clock_timestamp(), 3, '{}')
                on conflict (command_id) do update set command_id = excluded.command_id
                returning hash, xmax = 0
                """)) {
      insert.setObject(1, command.id());
      insert.setLong(2, hash);
      try (var row = insert.executeQuery()) {
        row.next();
        if (row.getLong(1) != hash) {
          throw CommandOutcomes.idReused();
        }
        if (row.getBoolean(2)) {
          ran.put(command.id(), command.type() + command.payload().text());
        }
        return new Receipt(command.id(), null, null, !row.getBoolean(2));
      }
    }
  }

  @Override
  public void close() throws SQLException {
    workers.shutdownNow();
    for (var open : connections) {
      open.close();
    }
  }
}
