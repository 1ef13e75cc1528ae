package io.evento.server.console;

import io.evento.server.NodeScoped;
import io.evento.server.gateway.access.Callers;
import io.evento.server.gateway.http.Bodies;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import io.evento.server.security.oidc.OidcSignIns;
import jakarta.inject.Inject;
import jakarta.ws.rs.CookieParam;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.SecurityContext;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** How a person signs in by an OpenID provider: to it, and back. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("session/oidc")
public class OidcResource {
  private static final String NAME = "__Host-evento-oidc";

  /** Lax, as a page of the provider makes the browser come back with it. */
  private static final String COOKIE =
      NAME + "=%s; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=%d";

  private static final int SECONDS = 600;

  /**
   * Not a redirect: the provider's page began it, so the browser would neither send the session's
   * cookie, which is of one site alone, nor be taken by the gate. A page of this site goes on.
   */
  private static final String PAGE =
      """
      <!doctype html>
      <html lang="en">
      <meta charset="utf-8">
      <meta http-equiv="refresh" content="0;url=%1$s">
      <title>Signed in</title>
      <p>You are signed in. <a href="%1$s">Go on</a></p>
      """;

  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private OidcSignIns signIns;

  /** Sends the browser to the provider. */
  @GET
  @Needs(Access.ANYBODY)
  public CompletionStage<Response> begin() {
    return signIns
        .begin()
        .thenCompose(
            begun ->
                adminCalls.respond(
                    () ->
                        Response.seeOther(begun.location())
                            .header("Set-Cookie", COOKIE.formatted(begun.cookie(), SECONDS))
                            .build()));
  }

  /** Takes whom the provider sends back, and begins his session. */
  @GET
  @Path("callback")
  @Needs(Access.ANYBODY)
  public CompletionStage<Response> finish(
      @QueryParam("code") @Nullable String code,
      @QueryParam("state") @Nullable String state,
      @QueryParam("iss") @Nullable String issuer,
      @QueryParam("error") @Nullable String error,
      @CookieParam(NAME) @Nullable String cookie) {
    var back = new OidcSignIns.Return(code, state, issuer, error, cookie);
    var after = signIns.after().replace("&", "&amp;");
    return signIns
        .finish(back, Callers.of(security).address())
        .thenCompose(
            begun ->
                adminCalls.respond(
                    () ->
                        Response.ok(Bodies.bytes(PAGE.formatted(after)))
                            .type(MediaType.TEXT_HTML + ";charset=utf-8")
                            .header("Set-Cookie", SessionResource.cookie(begun.cookie()))
                            .header("Set-Cookie", COOKIE.formatted("", 0))
                            .header("Referrer-Policy", "no-referrer")
                            .header(
                                "Content-Security-Policy",
                                "default-src 'none'; frame-ancestors 'none'")
                            .build()));
  }
}
