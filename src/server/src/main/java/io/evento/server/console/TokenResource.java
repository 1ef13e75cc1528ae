package io.evento.server.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.access.Callers;
import io.evento.server.gateway.http.Bodies;
import io.evento.server.security.Access;
import io.evento.server.security.Administration;
import io.evento.server.security.Needs;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.SecurityContext;
import java.io.IOException;
import java.io.InputStream;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Bundles and other programs: their scopes and tokens. A token's secret is answered once, to
 * whoever made it. A change is in force everywhere when it is answered.
 */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("tokens")
@Produces(MediaType.APPLICATION_JSON)
public class TokenResource {
  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private Administration administration;

  /**
   * @param prefix by which logs and people name it
   * @param lastUsedAt by the minute; absent if it never was
   * @param lastUsedFrom an address; absent if that was with an earlier release
   */
  record TokenView(
      String prefix,
      boolean valid,
      String createdAt,
      @Nullable String expiresAt,
      @Nullable String revokedAt,
      @Nullable String lastUsedAt,
      @Nullable String lastUsedFrom) {}

  record BundleView(String bundle, List<ScopeView> scopes, List<TokenView> tokens) {}

  record BundlesView(List<BundleView> bundles) {}

  /**
   * @param validFor ISO 8601, such as {@code P90D}; absent until it is revoked
   * @param scopes of the bundle from now on; absent to leave them as they are
   */
  record NewToken(
      @Nullable String bundle,
      @Nullable String validFor,
      @Nullable List<@Nullable ScopeView> scopes) {}

  record Scopes(@Nullable List<@Nullable ScopeView> scopes) {}

  /**
   * @param allowed whether a valid token of the bundle lets it do that
   * @param by the scope that covers it; absent if none does
   * @param validTokens of the bundle, now
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Checked(boolean allowed, @Nullable ScopeView by, long validTokens) {}

  record Made(String bundle, String prefix, String token) {}

  @GET
  @Needs(Access.ADMINISTER)
  public CompletionStage<byte[]> all() {
    return administration
        .bundles()
        .thenCompose(
            bundles ->
                adminCalls.view(
                    () -> new BundlesView(bundles.stream().map(TokenResource::view).toList())));
  }

  private static BundleView view(Administration.Bundle bundle) {
    return new BundleView(
        bundle.name(),
        bundle.scopes().stream().map(ScopeView::of).toList(),
        bundle.tokens().stream()
            .map(
                token ->
                    new TokenView(
                        token.prefix(),
                        token.isValid(),
                        AdminCalls.time(token.createdAt()),
                        AdminCalls.timeOrNull(token.expiresAt()),
                        AdminCalls.timeOrNull(token.revokedAt()),
                        AdminCalls.timeOrNull(token.lastUsedAt()),
                        token.lastUsedFrom()))
            .toList());
  }

  /** Whether a bundle may do something, by its scopes and tokens as they are now. */
  @GET
  @Path("{bundle}/check")
  @Needs(Access.ADMINISTER)
  public CompletionStage<byte[]> check(
      @PathParam("bundle") String bundle,
      @QueryParam("right") @Nullable String right,
      @QueryParam("context") @Nullable String context,
      @QueryParam("type") @Nullable String type) {
    var asked = ScopeView.right("right", OperationRequest.required("right", right));
    var where = OperationRequest.required("context", context);
    var what = OperationRequest.required("type", type);
    return administration
        .check(bundle, asked, where, what)
        .thenCompose(
            said ->
                adminCalls.view(
                    () -> {
                      var by = said.by();
                      return new Checked(
                          said.isAllowed(),
                          by == null ? null : ScopeView.of(by),
                          said.validTokens());
                    }));
  }

  /** Makes a token; a bundle has two valid ones at most. */
  @POST
  @Needs(Access.ADMINISTER)
  @Consumes(MediaType.APPLICATION_JSON)
  public CompletionStage<Response> create(InputStream body) throws IOException {
    var given = OperationRequest.body(NewToken.class, body);
    var scopes = given.scopes();
    return administration
        .createToken(
            OperationRequest.required("/bundle", given.bundle()),
            duration(given.validFor()),
            scopes == null ? null : ScopeView.read(scopes),
            Callers.of(security))
        .thenCompose(
            made ->
                adminCalls.respond(
                    () ->
                        Response.status(Response.Status.CREATED)
                            .entity(
                                Bodies.bytes(
                                    Codec.text(
                                        new Made(made.bundle(), made.prefix(), made.token()))))
                            .build()));
  }

  private static @Nullable Duration duration(@Nullable String given) {
    try {
      return given == null ? null : Duration.parse(given);
    } catch (DateTimeException | ArithmeticException malformed) {
      throw EventoException.invalid("/validFor", "must be a duration such as P90D or PT12H");
    }
  }

  /** Ends a token, and the sessions that it began. */
  @DELETE
  @Path("{prefix}")
  @Needs(Access.ADMINISTER)
  public CompletionStage<Response> revoke(@PathParam("prefix") String prefix) {
    return done(administration.revokeToken(prefix, Callers.of(security)));
  }

  /** Replaces the scopes of a bundle; its sessions end, and begin again with these. */
  @PUT
  @Path("{bundle}/scopes")
  @Needs(Access.ADMINISTER)
  @Consumes(MediaType.APPLICATION_JSON)
  public CompletionStage<Response> scopes(@PathParam("bundle") String bundle, InputStream body)
      throws IOException {
    var scopes = OperationRequest.body(Scopes.class, body).scopes();
    if (scopes == null) {
      throw EventoException.invalid("/scopes", "is required");
    }
    return done(administration.setScopes(bundle, ScopeView.read(scopes), Callers.of(security)));
  }

  private CompletionStage<Response> done(CompletionStage<Void> change) {
    return change.thenCompose(done -> adminCalls.respond(() -> Response.noContent().build()));
  }
}
