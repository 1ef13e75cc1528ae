package io.evento.bundle.gateway;

import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a caller may say of a command beside its payload. Immutable; start with {@link #options()}.
 *
 * @param id kept across repeats, also those of a caller that was started again; null to make one
 * @param deadline until the outcome is known, above 0
 * @param ifVersion only at this version of the aggregate, else {@code conflict}; null for any
 * @param metadata stored with the events
 * @param correlation id of the flow that this command belongs to; null to start one
 * @param cause id of the message that led to this command, or null
 * @param trace a W3C traceparent, or null
 */
public record CommandOptions(
    @Nullable UUID id,
    Duration deadline,
    @Nullable Long ifVersion,
    Map<String, ?> metadata,
    @Nullable String correlation,
    @Nullable String cause,
    @Nullable String trace) {
  private static final CommandOptions NONE =
      new CommandOptions(null, Duration.ofSeconds(10), null, Map.of(), null, null, null);

  public CommandOptions {
    if (deadline.isNegative() || deadline.isZero()) {
      throw new IllegalArgumentException("deadline must be above 0, is " + deadline);
    }
    if (ifVersion != null && ifVersion < 0) {
      throw new IllegalArgumentException("ifVersion must be 0 or more, is " + ifVersion);
    }
    metadata = Map.copyOf(metadata);
  }

  /** Nothing said: an id made here, ten seconds, any version. */
  public static CommandOptions options() {
    return NONE;
  }

  public CommandOptions withId(UUID chosen) {
    return new CommandOptions(chosen, deadline, ifVersion, metadata, correlation, cause, trace);
  }

  public CommandOptions within(Duration limit) {
    return new CommandOptions(id, limit, ifVersion, metadata, correlation, cause, trace);
  }

  /** {@code 0} for an aggregate that must not exist yet. */
  public CommandOptions onlyAtVersion(long version) {
    return new CommandOptions(id, deadline, version, metadata, correlation, cause, trace);
  }

  public CommandOptions withMetadata(Map<String, ?> given) {
    return new CommandOptions(id, deadline, ifVersion, given, correlation, cause, trace);
  }

  public CommandOptions inFlow(String correlationId, String causeId) {
    return new CommandOptions(id, deadline, ifVersion, metadata, correlationId, causeId, trace);
  }

  public CommandOptions tracedBy(String traceparent) {
    return new CommandOptions(id, deadline, ifVersion, metadata, correlation, cause, traceparent);
  }
}
