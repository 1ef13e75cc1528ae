package io.evento.server.gateway;

import io.evento.protocol.Codec;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.eventstore.EventPage;
import jakarta.inject.Inject;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads for people and scripts, away from the container's threads and from the hot paths' pools.
 */
@NodeScoped
public class StoreReads {
  private final ExecutorService readers;

  @Inject
  public StoreReads(Threads threads) {
    readers = threads.pool("reads", 4, 500);
  }

  <T> CompletionStage<T> run(Supplier<T> read) {
    return Threads.supply(read, readers);
  }

  /**
   * {@code {"events":[…],"next":…,"epoch":…}}.
   *
   * @param epoch that was the present one before the page was read: if the store lost what the page
   *     has, whoever goes on from it under this epoch hears so
   */
  static byte[] write(EventPage page, @Nullable Long next, UUID epoch) {
    var text = new StringBuilder("{\"events\":[");
    var separator = "";
    for (var event : page.events()) {
      text.append(separator).append(Codec.text(event));
      separator = ",";
    }
    return Bodies.bytes(
        text.append("],\"next\":")
            .append(next)
            .append(",\"epoch\":\"")
            .append(epoch)
            .append("\"}")
            .toString());
  }
}
