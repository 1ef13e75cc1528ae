package io.evento.server.gateway.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.Codec;
import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import jakarta.ws.rs.core.StreamingOutput;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Stored events in the form of CloudEvents 1.0, JSON batch format. */
final class CloudEvents {
  static final String BATCH = "application/cloudevents-batch+json";

  /** A backslash, or between slashes nothing or but dots. */
  private static final Pattern PATHLESS = Pattern.compile("\\\\|(^|/)\\.*(/|$)");

  /**
   * The attributes after {@code subject} are extensions, whose names may have lower case letters
   * and digits only.
   *
   * @param id unique for its source: the command's, and the version of the stream
   * @param source the stream, as it is read over HTTP
   * @param epoch of the position
   * @param payloadversion of the data's shape; left out for the first
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  private record CloudEvent(
      String specversion,
      String id,
      String source,
      String type,
      String time,
      String subject,
      String datacontenttype,
      long position,
      String epoch,
      long streamversion,
      String context,
      String commandid,
      String correlationid,
      @Nullable String causationid,
      @Nullable Integer payloadversion,
      Json data) {}

  private CloudEvents() {}

  /**
   * @param epoch of their positions
   */
  static StreamingOutput batch(List<RecordedEvent> events, UUID epoch) {
    var told = epoch.toString();
    return out -> StoreReads.list(out, events, event -> text(event, told));
  }

  private static String text(RecordedEvent event, String epoch) {
    var stream = event.aggregate();
    return Codec.text(
        new CloudEvent(
            "1.0",
            event.commandId() + "." + event.version(),
            source(stream),
            event.type(),
            event.time(),
            stream.id(),
            "application/json",
            event.position(),
            epoch,
            event.version(),
            event.context(),
            event.commandId().toString(),
            event.correlationId(),
            event.causationId(),
            event.payloadVersion() == 1 ? null : event.payloadVersion(),
            event.payload()));
  }

  /** By its path where that leads there: containers refuse or rewrite some. */
  private static String source(RecordedEvent.Stream stream) {
    var type = "/evento/api/streams/" + segment(stream.type());
    return PATHLESS.matcher(stream.id()).find()
        ? type + "?id=" + segment(stream.id())
        : type + "/" + segment(stream.id());
  }

  private static String segment(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
