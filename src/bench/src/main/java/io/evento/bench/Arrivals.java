package io.evento.bench;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A projector that only notes when it was given each event. */
@Projector(name = "bench-arrivals", context = "bank", start = Projector.Start.END)
public final class Arrivals {
  /** By position, as {@link System#nanoTime} counts. */
  final Map<Long, Long> at = new ConcurrentHashMap<>();

  /** An event of the bank, as far as this needs it. */
  public record MoneyDeposited(long amount, String reference) {}

  @EventHandler
  void on(MoneyDeposited event, EventMetadata metadata) {
    at.put(metadata.position(), System.nanoTime());
  }
}
