package io.evento.server.console.setting;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.console.AdminCalls;
import io.evento.server.console.OperationRequest;
import io.evento.server.gateway.http.Headers;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Settings of the whole cluster; a change is in force on every node within two seconds. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("settings")
@Produces(MediaType.APPLICATION_JSON)
public class SettingResource {
  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private Settings settings;

  /**
   * @param before absent for the default
   * @param after absent for the default
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record ChangeView(
      long id,
      String at,
      String by,
      @Nullable Long before,
      @Nullable Long after,
      @Nullable String reason) {
    static ChangeView of(Settings.Change change) {
      return new ChangeView(
          change.id(),
          AdminCalls.time(change.at()),
          change.by(),
          change.before(),
          change.after(),
          change.reason());
    }
  }

  /**
   * @param source {@code default}, {@code cluster} (the table) or {@code node} (its own
   *     configuration, which wins)
   * @param lastChange absent if nobody ever changed it
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record SettingView(
      String key,
      int value,
      String source,
      @JsonProperty("default") int standard,
      int min,
      int max,
      String description,
      @Nullable ChangeView lastChange) {
    static SettingView of(Settings.Value value, Settings.@Nullable Change last) {
      var setting = value.setting();
      return new SettingView(
          setting.key(),
          value.value(),
          value.source().name().toLowerCase(Locale.ROOT),
          setting.standard(),
          setting.min(),
          setting.max(),
          setting.description(),
          last == null ? null : ChangeView.of(last));
    }
  }

  record SettingsView(List<SettingView> settings) {}

  /**
   * @param next the {@code before} of the next page; absent at the end
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record History(List<ChangeView> changes, @Nullable Long next) {}

  record Change(@Nullable Long value, @Nullable String reason) {}

  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> all() {
    return adminCalls.view(
        () -> {
          var last = settings.lastChanges();
          return new SettingsView(
              settings.all().stream()
                  .map(value -> SettingView.of(value, last.get(value.setting().key())))
                  .toList());
        });
  }

  @GET
  @Needs(Access.VIEW)
  @Path("{key}")
  public CompletionStage<byte[]> one(@PathParam("key") String key) {
    return adminCalls.view(() -> view(settings.get(key)));
  }

  private SettingView view(Settings.Value value) {
    var changes = settings.history(value.setting().key(), Long.MAX_VALUE, 1);
    return SettingView.of(value, changes.isEmpty() ? null : changes.get(0));
  }

  /** Its changes, the newest first. */
  @GET
  @Needs(Access.VIEW)
  @Path("{key}/history")
  public CompletionStage<byte[]> history(
      @PathParam("key") String key,
      @QueryParam("before") @Nullable Long before,
      @QueryParam("limit") @DefaultValue("100") int limit) {
    OperationRequest.checkLimit(limit);
    return adminCalls.view(
        () -> {
          var changes = settings.history(key, before == null ? Long.MAX_VALUE : before, limit);
          return new History(
              changes.stream().map(ChangeView::of).toList(),
              changes.size() < limit ? null : changes.get(changes.size() - 1).id());
        });
  }

  /** Body: {@code {"value":N,"reason":"…"}}. */
  @PUT
  @Needs(Access.OPERATE)
  @Path("{key}")
  @Consumes(MediaType.APPLICATION_JSON)
  public CompletionStage<byte[]> set(
      @PathParam("key") String key,
      @QueryParam("dryRun") @Nullable String dryRun,
      @HeaderParam("If-Match") @Nullable String ifMatch,
      InputStream body)
      throws IOException {
    var given = OperationRequest.body(Change.class, body);
    var value = given.value();
    if (value == null) {
      throw EventoException.invalid("/value", "is required and must be a whole number");
    }
    var order = order(given.reason(), ifMatch);
    var isDry = OperationRequest.isDry(dryRun);
    return adminCalls.answer(
        () ->
            view(
                isDry
                    ? settings.would(key, value, order.seen())
                    : settings.set(key, value, order)));
  }

  /** {@code If-Match} is the id of the last change that was seen, or 0 where there was none. */
  private Settings.Order order(@Nullable String reason, @Nullable String ifMatch) {
    return new Settings.Order(
        OperationRequest.by(security), OperationRequest.reason(reason), Headers.version(ifMatch));
  }

  /** Back to the default. The reason is in the address: Payara takes no body with a DELETE. */
  @DELETE
  @Needs(Access.OPERATE)
  @Path("{key}")
  public CompletionStage<byte[]> reset(
      @PathParam("key") String key,
      @QueryParam("dryRun") @Nullable String dryRun,
      @HeaderParam("If-Match") @Nullable String ifMatch,
      @QueryParam("reason") @Nullable String reason) {
    var order = order(reason, ifMatch);
    var isDry = OperationRequest.isDry(dryRun);
    return adminCalls.answer(
        () -> view(isDry ? settings.would(key, null, order.seen()) : settings.reset(key, order)));
  }
}
