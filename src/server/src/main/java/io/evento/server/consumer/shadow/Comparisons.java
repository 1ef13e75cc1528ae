package io.evento.server.consumer.shadow;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.segment.ConsumerId;
import jakarta.inject.Inject;

/** Tells how versions of a consumer compare. */
@NodeScoped
public class Comparisons {
  private static final int EXAMPLES = 20;

  private final ComparisonTable table;

  @Inject
  Comparisons(ComparisonTable table) {
    this.table = table;
  }

  /**
   * How a version's decisions compare with those of the live one. Blocks on the database.
   *
   * @throws EventoException {@code not-found}
   */
  public Comparison of(String name, int version) {
    var consumer = new ConsumerId(name, version);
    return table
        .comparison(consumer, EXAMPLES)
        .orElseThrow(
            () -> new EventoException(ErrorCode.NOT_FOUND, "there is no consumer " + consumer));
  }
}
