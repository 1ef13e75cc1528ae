package io.evento.server.gateway.access;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.security.Caller;
import jakarta.ws.rs.core.SecurityContext;
import java.security.Principal;
import org.jspecify.annotations.Nullable;

/** Who asks a resource, as the gate found. */
public final class Callers {
  private Callers() {}

  /**
   * @throws EventoException {@code unauthenticated} for a request that passed by no gate
   */
  public static Caller of(SecurityContext context) {
    return of(context.getUserPrincipal());
  }

  /**
   * The same of a request without JAX-RS, or of a session.
   *
   * @throws EventoException {@code unauthenticated} for one that passed by no gate
   */
  public static Caller of(@Nullable Principal principal) {
    if (principal instanceof Caller caller) {
      return caller;
    }
    throw new EventoException(ErrorCode.UNAUTHENTICATED, "the request passed by no gate");
  }
}
