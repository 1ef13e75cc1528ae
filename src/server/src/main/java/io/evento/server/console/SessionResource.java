package io.evento.server.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.access.Callers;
import io.evento.server.gateway.http.Bodies;
import io.evento.server.security.Access;
import io.evento.server.security.Administration;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.server.security.Needs;
import io.evento.server.security.Role;
import io.evento.server.security.SignIns;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.SecurityContext;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** How a person signs in and out, and who a caller is to this node. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("session")
@Produces(MediaType.APPLICATION_JSON)
public class SessionResource {
  private static final String COOKIE =
      "__Host-evento=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s";

  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private SignIns signIns;
  @Inject private Administration administration;
  @Inject private Grants grants;

  record SignIn(@Nullable String name, @Nullable String password) {}

  record NewPassword(@Nullable String password, @Nullable String newPassword) {}

  record Begun(String name, String csrf) {}

  /**
   * @param kind {@code user}, {@code bundle} or {@code developer}
   * @param csrf what each request that may change something has to say in {@code Evento-CSRF};
   *     absent without a cookie
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Known(
      String kind,
      String name,
      List<String> roles,
      List<ScopeView> scopes,
      @Nullable String csrf) {}

  /** Signs in: {@code {"name":"…","password":"…"}}. */
  @POST
  @Needs(Access.ANYBODY)
  @Consumes(MediaType.APPLICATION_JSON)
  public CompletionStage<Response> signIn(InputStream body) throws IOException {
    var given = OperationRequest.body(SignIn.class, body);
    var address = Callers.of(security).address();
    return signIns
        .signIn(
            OperationRequest.required("/name", given.name()),
            OperationRequest.required("/password", given.password()),
            address)
        .thenCompose(
            begun ->
                adminCalls.respond(
                    () ->
                        Response.ok(Bodies.bytes(Codec.text(new Begun(begun.name(), begun.csrf()))))
                            .header("Set-Cookie", cookie(begun.cookie()))
                            .build()));
  }

  /** A session's secret as its browser keeps it. */
  static String cookie(String secret) {
    return COOKIE.formatted(secret, "");
  }

  /** Who the caller is, and what he may. */
  @GET
  @Needs(Access.KNOWN)
  public CompletionStage<byte[]> who() {
    var caller = Callers.of(security);
    return adminCalls.view(
        () ->
            new Known(
                caller.kind().name().toLowerCase(Locale.ROOT),
                caller.name(),
                caller.roles().stream().sorted().map(Role::wire).toList(),
                caller.scopes().stream().map(ScopeView::of).toList(),
                grants.csrf(caller).orElse(null)));
  }

  /** Signs out. */
  @DELETE
  @Needs(Access.KNOWN)
  public CompletionStage<Response> signOut() {
    return signIns
        .signOut(person())
        .thenCompose(
            done ->
                adminCalls.respond(
                    () ->
                        Response.noContent()
                            .header("Set-Cookie", COOKIE.formatted("", "; Max-Age=0"))
                            .build()));
  }

  /** Changes the caller's own password, which ends all his sessions. */
  @PUT
  @Path("password")
  @Needs(Access.KNOWN)
  @Consumes(MediaType.APPLICATION_JSON)
  public CompletionStage<Response> change(InputStream body) throws IOException {
    var given = OperationRequest.body(NewPassword.class, body);
    return administration
        .changePassword(
            person(),
            OperationRequest.required("/password", given.password()),
            OperationRequest.required("/newPassword", given.newPassword()))
        .thenCompose(done -> adminCalls.respond(() -> Response.noContent().build()));
  }

  private Caller person() {
    var caller = Callers.of(security);
    if (caller.kind() != Caller.Kind.USER) {
      throw EventoException.invalid(
          "", "only a person has a session, and " + caller.name() + " is none");
    }
    return caller;
  }
}
