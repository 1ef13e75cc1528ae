package io.evento.protocol;

import org.jspecify.annotations.Nullable;

/**
 * A handler's refusal by a business rule: a final outcome, kept under the command's id.
 *
 * @param code stable and machine-readable, such as {@code insufficient-funds}
 * @param message for a person; may be empty
 * @param details a JSON object, or null
 */
public record Rejection(String code, String message, @Nullable Json details) {
  public Rejection {
    if (code == null || code.isBlank()) {
      throw EventoException.invalid("/rejection/code", "must name the rule that refused");
    }
    message = message == null ? "" : message;
  }
}
