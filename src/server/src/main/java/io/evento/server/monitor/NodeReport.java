package io.evento.server.monitor;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.evento.server.telemetry.Second;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a node says of itself when another one asks.
 *
 * @param commands that came in there and have no answer yet
 * @param segments of consumers that it delivers
 * @param pool connections of its pool; absent where it uses one of the application server
 * @param timerMillis since the timer of the application server made its last pass
 * @param beatMillis since its last heartbeat in the database
 * @param unfit why it does not work with its database though that answers; absent if it does
 * @param clockAheadMillis by how much the database's clock is ahead of its own; absent if it does
 *     not know, or is of an older release
 * @param seconds what it did, the latest first
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record NodeReport(
    int commands,
    int segments,
    @Nullable Pool pool,
    long timerMillis,
    long beatMillis,
    @Nullable String unfit,
    @Nullable Long clockAheadMillis,
    List<Second> seconds) {

  /**
   * @param waiting threads that wait for a connection
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Pool(int active, int idle, int waiting, int max) {}
}
