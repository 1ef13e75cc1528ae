package io.evento.server.console;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Settings of the whole cluster; a change is in force on every node within two seconds. */
@NodeScoped
@Path("settings")
@Produces(MediaType.APPLICATION_JSON)
public class SettingResource {
  /** Until people log in, a change is audited under this name. */
  private static final String NOBODY = "anonymous";

  @Inject private AdminCalls adminCalls;
  @Inject private Settings settings;

  /**
   * @param source {@code default}, {@code cluster} (the table) or {@code node} (its own
   *     configuration, which wins)
   */
  record SettingView(
      String key,
      int value,
      String source,
      @JsonProperty("default") int standard,
      int min,
      int max,
      String description) {
    static SettingView of(Settings.Value value) {
      var setting = value.setting();
      return new SettingView(
          setting.key(),
          value.value(),
          value.source().name().toLowerCase(Locale.ROOT),
          setting.standard(),
          setting.min(),
          setting.max(),
          setting.description());
    }
  }

  record SettingsView(List<SettingView> settings) {}

  record Change(@Nullable Long value) {}

  @GET
  public CompletionStage<byte[]> all() {
    return adminCalls.answer(
        () -> new SettingsView(settings.all().stream().map(SettingView::of).toList()));
  }

  @GET
  @Path("{key}")
  public CompletionStage<byte[]> one(@PathParam("key") String key) {
    return adminCalls.answer(() -> SettingView.of(settings.get(key)));
  }

  /** Body: {@code {"value":N}}. */
  @PUT
  @Path("{key}")
  @Consumes(MediaType.APPLICATION_JSON)
  public CompletionStage<byte[]> set(@PathParam("key") String key, InputStream body)
      throws IOException {
    var value = OperationRequest.body(Change.class, body).value();
    if (value == null) {
      throw EventoException.invalid("/value", "is required and must be a whole number");
    }
    return adminCalls.answer(() -> SettingView.of(settings.set(key, value, NOBODY)));
  }

  /** Back to the default. */
  @DELETE
  @Path("{key}")
  public CompletionStage<byte[]> reset(@PathParam("key") String key) {
    return adminCalls.answer(() -> SettingView.of(settings.reset(key, NOBODY)));
  }
}
