package io.evento.server.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.gateway.access.Callers;
import io.evento.server.gateway.http.Bodies;
import io.evento.server.gateway.http.Headers;
import io.evento.server.security.Access;
import io.evento.server.security.Administration;
import io.evento.server.security.Needs;
import io.evento.server.security.Role;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
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
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * People, and what they are to the cluster. A change is in force everywhere when it is answered.
 */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("users")
@Produces(MediaType.APPLICATION_JSON)
public class UserResource {
  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private Administration administration;

  /**
   * @param address where it began; absent if it began with an earlier release
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record SessionView(
      String id, String createdAt, String seenAt, String endsAt, @Nullable String address) {}

  /**
   * @param signedInAt last; absent if he did not since the upgrade to this release
   * @param lockedAt absent if he may sign in
   * @param provider by which he signs in; absent with a password
   * @param sessions how many are not over
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record UserView(
      String name,
      List<String> roles,
      String createdAt,
      @Nullable String signedInAt,
      @Nullable String lockedAt,
      @Nullable String provider,
      int sessions) {}

  /**
   * @param next the {@code after} of the next page; absent at the end
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record SessionsView(List<SessionView> sessions, @Nullable String next) {}

  record UsersView(List<UserView> users) {}

  record NewUser(
      @Nullable String name, @Nullable List<@Nullable String> roles, @Nullable String password) {}

  record Roles(@Nullable List<@Nullable String> roles) {}

  record Password(@Nullable String password) {}

  record Created(String name) {}

  @GET
  @Needs(Access.ADMINISTER)
  public CompletionStage<byte[]> all() {
    return administration.users().thenCompose(users -> adminCalls.view(() -> view(users)));
  }

  private static UsersView view(List<Administration.User> users) {
    return new UsersView(
        users.stream()
            .map(
                user ->
                    new UserView(
                        user.name(),
                        user.roles().stream().map(Role::wire).toList(),
                        AdminCalls.time(user.createdAt()),
                        AdminCalls.timeOrNull(user.signedInAt()),
                        AdminCalls.timeOrNull(user.lockedAt()),
                        user.provider(),
                        user.sessions()))
            .toList());
  }

  /** Sessions of a person, by their ids. */
  @GET
  @Path("{name}/sessions")
  @Needs(Access.ADMINISTER)
  public CompletionStage<byte[]> sessions(
      @PathParam("name") String name,
      @QueryParam("after") @Nullable String after,
      @QueryParam("limit") @DefaultValue("100") int limit) {
    OperationRequest.checkLimit(limit);
    return administration
        .sessions(name, after == null ? null : id("after", after), limit)
        .thenCompose(
            sessions ->
                adminCalls.view(
                    () ->
                        new SessionsView(
                            sessions.stream().map(UserResource::view).toList(),
                            sessions.size() < limit
                                ? null
                                : sessions.get(limit - 1).id().toString())));
  }

  private static SessionView view(Administration.Session session) {
    return new SessionView(
        session.id().toString(),
        AdminCalls.time(session.createdAt()),
        AdminCalls.time(session.seenAt()),
        AdminCalls.time(session.endsAt()),
        session.address());
  }

  /** Body: {@code {"name":"…","roles":["operator"],"password":"…"}}. */
  @POST
  @Needs(Access.ADMINISTER)
  @Consumes(MediaType.APPLICATION_JSON)
  public CompletionStage<Response> create(InputStream body) throws IOException {
    var given = OperationRequest.body(NewUser.class, body);
    var name = OperationRequest.required("/name", given.name());
    return administration
        .createUser(
            name,
            roles(given.roles()),
            OperationRequest.required("/password", given.password()),
            Callers.of(security))
        .thenCompose(
            done ->
                adminCalls.respond(
                    () ->
                        Response.status(Response.Status.CREATED)
                            .entity(Bodies.bytes(Codec.text(new Created(name))))
                            .build()));
  }

  /**
   * @param ifMatch the roles as they were seen, such as {@code "operator,viewer"}: if the person
   *     has others by now, nothing is changed; {@code *} stands for any
   */
  @PUT
  @Path("{name}/roles")
  @Needs(Access.ADMINISTER)
  @Consumes(MediaType.APPLICATION_JSON)
  public CompletionStage<Response> roles(
      @PathParam("name") String name,
      @HeaderParam("If-Match") @Nullable String ifMatch,
      InputStream body)
      throws IOException {
    var roles = roles(OperationRequest.body(Roles.class, body).roles());
    return done(administration.setRoles(name, roles, seen(ifMatch), Callers.of(security)));
  }

  /** The roles of {@code If-Match}; null if whatever the person has is to be overwritten. */
  static @Nullable Set<Role> seen(@Nullable String ifMatch) {
    if (ifMatch == null || ifMatch.trim().equals("*")) {
      return null;
    }
    var given = Headers.unquoted(ifMatch.trim());
    var seen = EnumSet.noneOf(Role.class);
    for (var name : given.isBlank() ? new String[0] : given.split(",", -1)) {
      seen.add(
          Role.ofWire(name.trim())
              .orElseThrow(
                  () ->
                      EventoException.invalid(
                          "If-Match",
                          "must be * or roles with commas between them, such as"
                              + " \"operator,viewer\"")));
    }
    return seen;
  }

  @PUT
  @Path("{name}/password")
  @Needs(Access.ADMINISTER)
  @Consumes(MediaType.APPLICATION_JSON)
  public CompletionStage<Response> password(@PathParam("name") String name, InputStream body)
      throws IOException {
    var password =
        OperationRequest.required(
            "/password", OperationRequest.body(Password.class, body).password());
    return done(administration.setPassword(name, password, Callers.of(security)));
  }

  /** Ends his sessions, and lets nobody sign in as him. */
  @PUT
  @Path("{name}/lock")
  @Needs(Access.ADMINISTER)
  public CompletionStage<Response> lock(@PathParam("name") String name) {
    return done(administration.lockUser(name, Callers.of(security)));
  }

  @DELETE
  @Path("{name}/lock")
  @Needs(Access.ADMINISTER)
  public CompletionStage<Response> unlock(@PathParam("name") String name) {
    return done(administration.unlockUser(name, Callers.of(security)));
  }

  /** Ends all sessions of a person. */
  @DELETE
  @Path("{name}/sessions")
  @Needs(Access.ADMINISTER)
  public CompletionStage<Response> endAll(@PathParam("name") String name) {
    return done(administration.endSessions(name, null, Callers.of(security)));
  }

  @DELETE
  @Path("{name}/sessions/{id}")
  @Needs(Access.ADMINISTER)
  public CompletionStage<Response> end(
      @PathParam("name") String name, @PathParam("id") String session) {
    return done(administration.endSessions(name, id("id", session), Callers.of(security)));
  }

  private static UUID id(String name, String given) {
    try {
      return UUID.fromString(given);
    } catch (IllegalArgumentException wrong) {
      throw EventoException.invalid(name, "must be a UUID");
    }
  }

  @DELETE
  @Path("{name}")
  @Needs(Access.ADMINISTER)
  public CompletionStage<Response> remove(@PathParam("name") String name) {
    return done(administration.removeUser(name, Callers.of(security)));
  }

  private CompletionStage<Response> done(CompletionStage<Void> change) {
    return change.thenCompose(done -> adminCalls.respond(() -> Response.noContent().build()));
  }

  private static Set<Role> roles(@Nullable List<@Nullable String> given) {
    if (given == null) {
      throw EventoException.invalid("/roles", "is required");
    }
    var roles = EnumSet.noneOf(Role.class);
    for (var i = 0; i < given.size(); i++) {
      var name = given.get(i);
      var at = "/roles/" + i;
      roles.add(
          Role.ofWire(name == null ? "" : name)
              .orElseThrow(
                  () -> EventoException.invalid(at, "must be viewer, operator, admin or auditor")));
    }
    return roles;
  }
}
