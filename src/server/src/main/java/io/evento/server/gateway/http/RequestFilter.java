package io.evento.server.gateway.http;

import io.evento.server.NodeScoped;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.PreMatching;
import jakarta.ws.rs.ext.Provider;

/** Holds every request of JAX-RS to {@link RequestRules}. */
@Provider
@PreMatching
@NodeScoped
public class RequestFilter implements ContainerRequestFilter {
  @Override
  public void filter(ContainerRequestContext request) {
    var uri = request.getUriInfo().getRequestUri();
    RequestRules.check(
        request.getMethod(), uri.getRawPath(), uri.getRawQuery(), request::getHeaderString);
  }
}
