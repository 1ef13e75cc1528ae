package io.evento.server.gateway.http;

import io.evento.protocol.Codec;
import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.eventstore.read.EventPage;
import jakarta.inject.Inject;
import jakarta.ws.rs.core.StreamingOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads for people and scripts, away from the container's threads and from the hot paths' pools.
 */
@NodeScoped
public class StoreReads {
  /** No more large pages at once than leave the others a core. */
  private static final int THREADS =
      Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors() - 1));

  private final ExecutorService readers;

  @Inject
  public StoreReads(Threads threads) {
    readers = threads.pool("reads", THREADS, 500);
  }

  <T> CompletionStage<T> run(Supplier<T> read) {
    return Threads.supply(read, readers);
  }

  /**
   * {@code {"events":[…],"next":…,"epoch":…}}, made event by event: a page is nowhere one long
   * text.
   *
   * @param epoch that was the present one before the page was read: if the store lost what the page
   *     has, whoever goes on from it under this epoch hears so
   */
  static StreamingOutput write(EventPage page, @Nullable Long next, UUID epoch) {
    return out -> {
      out.write(Bodies.bytes("{\"events\":"));
      list(out, page.events(), Codec::text);
      out.write(Bodies.bytes(",\"next\":" + next + ",\"epoch\":\"" + epoch + "\"}"));
    };
  }

  /** A JSON array of what each event looks like. */
  static void list(
      OutputStream out, List<RecordedEvent> events, Function<RecordedEvent, String> form)
      throws IOException {
    var separator = '[';
    for (var event : events) {
      out.write(separator);
      out.write(Bodies.bytes(form.apply(event)));
      separator = ',';
    }
    out.write(Bodies.bytes(events.isEmpty() ? "[]" : "]"));
  }
}
