package io.evento.server.console;

import io.evento.protocol.Codec;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import jakarta.inject.Inject;
import jakarta.ws.rs.core.Response;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Threads and forms that the administration doors share. Who changes something never waits behind
 * those who look, nor they behind him: a page that is slow to read leaves the operator his threads.
 */
@NodeScoped
public class AdminCalls {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

  /** As many may look at once; what they read is bounded in rows and by the statement timeout. */
  private static final int VIEWS = 4;

  private final ExecutorService workers;
  private final ExecutorService viewers;
  private final ExecutorService patient;

  @Inject
  public AdminCalls(Threads threads) {
    workers = threads.pool("admin", 2, 200);
    viewers = threads.pool("views", VIEWS, 200);
    patient = threads.pool("admin-patient", 2, 20);
  }

  /** Changes something, which blocks on the database, and writes its result as JSON. */
  public CompletionStage<byte[]> answer(Supplier<Object> work) {
    return Threads.supply(() -> bytes(work.get()), workers);
  }

  /** Reads for a page, which blocks on the database alone, and writes what it found as JSON. */
  public CompletionStage<byte[]> view(Supplier<Object> work) {
    return Threads.supply(() -> bytes(work.get()), viewers);
  }

  /** Reads for a page, as a step on the way to an answer. */
  public <T> CompletionStage<T> read(Supplier<T> work) {
    return Threads.supply(work, viewers);
  }

  /** Writes as JSON what a page is shown, once it is there. No thread waits for it meanwhile. */
  public CompletionStage<byte[]> viewed(CompletionStage<?> found) {
    return found.thenApplyAsync(AdminCalls::bytes, viewers);
  }

  /** Does what may wait for half a minute, so that nobody else does, and writes its result. */
  public CompletionStage<byte[]> answerPatiently(Supplier<Object> work) {
    return Threads.supply(() -> bytes(work.get()), patient);
  }

  /** Makes an answer that is more than JSON. */
  CompletionStage<Response> respond(Supplier<Response> work) {
    return Threads.supply(work, workers);
  }

  private static byte[] bytes(Object shown) {
    return Codec.text(shown).getBytes(StandardCharsets.UTF_8);
  }

  /** RFC 3339 in UTC with microseconds. */
  public static String time(OffsetDateTime at) {
    return TIME.format(at);
  }

  /** The same, or null. */
  public static @Nullable String timeOrNull(@Nullable OffsetDateTime at) {
    return at == null ? null : time(at);
  }
}
