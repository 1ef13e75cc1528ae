package io.evento.server.console;

import io.evento.protocol.Codec;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;

/** Threads and forms that the administration doors share. */
@NodeScoped
public class AdminCalls {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

  private final ExecutorService workers;
  private final ExecutorService patient;

  @Inject
  public AdminCalls(Threads threads) {
    workers = threads.pool("admin", 2, 200);
    patient = threads.pool("admin-patient", 2, 20);
  }

  /** Runs what blocks on the database, and writes its result as JSON. */
  CompletionStage<byte[]> answer(Supplier<Object> work) {
    return Threads.supply(() -> Codec.text(work.get()).getBytes(StandardCharsets.UTF_8), workers);
  }

  /** The same for what may wait for half a minute, so that nobody else does. */
  CompletionStage<byte[]> answerPatiently(Supplier<Object> work) {
    return Threads.supply(() -> Codec.text(work.get()).getBytes(StandardCharsets.UTF_8), patient);
  }

  /** RFC 3339 in UTC with microseconds. */
  static String time(OffsetDateTime at) {
    return TIME.format(at);
  }
}
