package io.evento.server.gateway.gate;

import io.evento.server.security.Caller;
import io.evento.server.security.Role;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.security.Principal;

/** A request whose caller is known; resources and sessions of bundles find him as its principal. */
final class KnownRequest extends HttpServletRequestWrapper {
  private final Caller caller;

  KnownRequest(HttpServletRequest request, Caller caller) {
    super(request);
    this.caller = caller;
  }

  @Override
  public Principal getUserPrincipal() {
    return caller;
  }

  @Override
  public String getRemoteUser() {
    return caller.name();
  }

  @Override
  public boolean isUserInRole(String role) {
    return Role.ofWire(role).filter(caller::has).isPresent();
  }

  @Override
  public String getAuthType() {
    return caller.kind().name();
  }
}
