package io.evento.server.routing.command;

import io.evento.protocol.Receipt;
import io.evento.server.routing.CommandRequest;
import java.util.concurrent.CompletionStage;

/** Takes a domain command from its arrival at the owning node to its final outcome. */
public interface OwnedCommands {
  /**
   * @return the outcome; fails with an {@link io.evento.protocol.EventoException}
   */
  CompletionStage<Receipt> handle(CommandRequest request);
}
