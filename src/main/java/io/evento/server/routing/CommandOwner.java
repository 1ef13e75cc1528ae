package io.evento.server.routing;

import io.evento.protocol.Receipt;
import java.util.concurrent.CompletionStage;

/** Takes a domain command from its arrival at the owning node to its final outcome. */
public interface CommandOwner {
  /**
   * @return the outcome; fails with an {@link io.evento.protocol.EventoException}
   */
  CompletionStage<Receipt> handle(CommandRequest request);
}
