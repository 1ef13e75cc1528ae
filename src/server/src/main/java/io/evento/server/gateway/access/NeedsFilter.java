package io.evento.server.gateway.access;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.ResourceInfo;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.ext.Provider;
import java.util.Locale;

/** Lets nobody into a resource but whom its method's {@link Needs} names. */
@Provider
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
public class NeedsFilter implements ContainerRequestFilter {
  @Context private ResourceInfo resource;

  @Override
  public void filter(ContainerRequestContext request) {
    var caller = Callers.of(request.getSecurityContext());
    var method = resource.getResourceMethod();
    var needs = method == null ? null : method.getAnnotation(Needs.class);
    if (needs == null) {
      throw new EventoException(ErrorCode.FORBIDDEN, "this door is for nobody");
    }
    if (needs.value().allows(caller)) {
      return;
    }
    if (!Access.KNOWN.allows(caller)) {
      throw new EventoException(ErrorCode.UNAUTHENTICATED, "a token or a session is needed");
    }
    throw new EventoException(
        ErrorCode.FORBIDDEN,
        caller.name()
            + " lacks the right to "
            + needs.value().name().toLowerCase(Locale.ROOT)
            + " here");
  }
}
