package io.evento.protocol;

import static io.evento.protocol.Checks.checkDeadline;
import static io.evento.protocol.Checks.checkFlow;
import static io.evento.protocol.Checks.checkMeta;
import static io.evento.protocol.Checks.require;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Commands: sent at once, or kept by the server to be sent later. */
public sealed interface CommandMessage extends Message {
  /** Characters of a command's metadata: they are stored with each of its events. */
  int META_CHARS_MAX = 8_192;

  /** What a node adds to it before it is sent on: who sent the command. */
  int META_CHARS_ADDED = 256;

  /**
   * B→N: send this command. N→B, for a service's command: run it; answered by {@link
   * ReplyMessage.Result} or {@link ReplyMessage.Fault} of the same id.
   *
   * @param id made by the caller, the same in every repeat
   * @param ifVersion only at this version of the aggregate, else {@code conflict}
   * @param deadline milliseconds left
   * @param trace a W3C traceparent
   * @param correlation of the flow that this belongs to; null for the trace's id, or without a
   *     trace for the command's own
   * @param cause id of the message that led to this one, or null
   * @param meta JSON object, stored with the events
   * @param payload a JSON object
   */
  record Command(
      UUID id,
      String type,
      @Nullable Long ifVersion,
      int deadline,
      @Nullable String trace,
      @Nullable String correlation,
      @Nullable String cause,
      @Nullable Json meta,
      @JsonProperty("p") Json payload)
      implements CommandMessage {
    public Command {
      require("/id", id);
      Names.checkType("/type", type);
      require("/p", payload);
      checkDeadline(deadline);
      if (ifVersion != null && ifVersion < 0) {
        throw EventoException.invalid("/ifVersion", "must be 0 or more");
      }
      checkFlow("/trace", trace);
      checkFlow("/correlation", correlation);
      checkFlow("/cause", cause);
      checkMeta(meta);
    }

    /** A command that starts a flow of its own. */
    public Command(
        UUID id,
        String type,
        @Nullable Long ifVersion,
        int deadline,
        @Nullable String trace,
        @Nullable Json meta,
        Json payload) {
      this(id, type, ifVersion, deadline, trace, null, null, meta, payload);
    }
  }

  /**
   * B→N: send this command later; answered by {@link ReplyMessage.Result} of the same id, with what
   * is scheduled as its payload, or by {@link ReplyMessage.Fault}. A repeat under the same id
   * changes nothing.
   *
   * @param id of the command
   * @param after milliseconds from now by the database's clock; null if {@code at} is said
   * @param at RFC 3339 by the database's clock; null if {@code after} is said
   * @param trace a W3C traceparent
   * @param correlation of the flow that this belongs to; null for the command's own
   * @param cause id of the message that led to this one, or null
   * @param meta JSON object, stored with the events
   * @param payload a JSON object
   */
  record Schedule(
      UUID id,
      String type,
      @Nullable Long after,
      @Nullable String at,
      @Nullable String trace,
      @Nullable String correlation,
      @Nullable String cause,
      @Nullable Json meta,
      @JsonProperty("p") Json payload)
      implements CommandMessage {
    /** A hundred years. */
    private static final long AFTER_MAX = 3_155_760_000_000L;

    public Schedule {
      require("/id", id);
      Names.checkType("/type", type);
      require("/p", payload);
      if ((after == null) == (at == null)) {
        throw EventoException.invalid("/at", "or /after is required, and not both");
      }
      if (after != null && (after < 0 || after > AFTER_MAX)) {
        throw EventoException.invalid("/after", "must be 0 to " + AFTER_MAX + " ms, is " + after);
      }
      checkFlow("/correlation", correlation);
      checkFlow("/cause", cause);
      checkFlow("/trace", trace);
      checkMeta(meta);
    }
  }

  /**
   * B→N: take a scheduled command back; answered by {@link ReplyMessage.Result}, or by {@link
   * ReplyMessage.Fault} of the same id: {@code not-found} if none waits, {@code conflict} while it
   * is being sent.
   */
  record Unschedule(UUID id, UUID command) implements CommandMessage {
    public Unschedule {
      require("/id", id);
      require("/command", command);
    }
  }

  /**
   * B→N: tell what is scheduled, the first due first; answered by {@link ReplyMessage.Result} with
   * {@code schedules} and {@code next} in its payload.
   *
   * @param type only commands of this one; null for all
   * @param after the last answer's {@code next}; null for the first page
   * @param limit 1 to 1,000
   */
  record Schedules(UUID id, @Nullable String type, @Nullable UUID after, int limit)
      implements CommandMessage {
    public Schedules {
      require("/id", id);
      if (limit < 1 || limit > 1_000) {
        throw EventoException.invalid("/limit", "must be 1 to 1,000, is " + limit);
      }
    }
  }
}
