package io.evento.server.eventstore;

import io.evento.protocol.Tip;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of a command as decided, on its way into the store.
 *
 * @param commandId made by the caller, the same in every repeat
 * @param hash of the command's type and payload: the same id with another one is refused
 * @param decision random number of this attempt, never 0; with its version it names the new state
 * @param body for {@link OutcomeKind#EVENTS} the value for the caller, else the outcome's own text
 *     such as a rejection; JSON, or null
 * @param bases the streams that it was decided on, and the state of each then: all that it writes
 *     to, and any that it only read; empty for a service's answer
 * @param events in order; some for {@link OutcomeKind#EVENTS}, else none
 * @param condition what must not have happened meanwhile, or null
 * @param isLink whether others of its stream may have been decided on its outcome, or it on theirs,
 *     before they are stored: then those that wait together are stored by one call, all or none
 */
public record AppendRequest(
    UUID commandId,
    long hash,
    long decision,
    OutcomeKind kind,
    @Nullable String body,
    List<Basis> bases,
    List<ProposedEvent> events,
    @Nullable AppendCondition condition,
    boolean isLink) {

  /** A row's columns of fixed length, its tuple header and its index entries, roughly. */
  private static final int ROW_BYTES = 200;

  /** One that stands alone of its stream. */
  public AppendRequest(
      UUID commandId,
      long hash,
      long decision,
      OutcomeKind kind,
      @Nullable String body,
      List<Basis> bases,
      List<ProposedEvent> events,
      @Nullable AppendCondition condition) {
    this(commandId, hash, decision, kind, body, bases, events, condition, false);
  }

  public AppendRequest {
    bases = List.copyOf(bases);
    events = List.copyOf(events);
    if (decision == 0) {
      throw new IllegalArgumentException("0 is the decision of the empty stream");
    }
    if ((kind == OutcomeKind.EVENTS) == events.isEmpty()) {
      throw new IllegalArgumentException(kind + " with " + events.size() + " events");
    }
    if (isLink && (bases.size() != 1 || condition != null)) {
      throw new IllegalArgumentException("a link is of one stream and has no condition");
    }
    for (var event : events) {
      if (event.basis < 0 || event.basis >= bases.size()) {
        throw new IllegalArgumentException("no basis " + event.basis);
      }
    }
    if (bases.size() > 1) {
      var streams = new HashSet<String>();
      for (var basis : bases) {
        if (!streams.add(basis.stream)) {
          throw new IllegalArgumentException("stream twice: " + basis.stream);
        }
      }
    }
  }

  /**
   * A stream's state that a decision rests on.
   *
   * @param stream such as {@code Account:a-1}
   * @param tip as decided on
   */
  public record Basis(String stream, Tip tip) {}

  /**
   * @param basis index of its stream in {@link AppendRequest#bases}
   * @param meta as {@link EventMeta} writes it, or null
   * @param payload JSON
   */
  public record ProposedEvent(
      int basis,
      String context,
      String type,
      List<String> tags,
      @Nullable String meta,
      String payload) {
    public ProposedEvent {
      tags = List.copyOf(tags);
    }
  }

  /** The same under another condition. */
  public AppendRequest when(AppendCondition other) {
    return new AppendRequest(commandId, hash, decision, kind, body, bases, events, other);
  }

  /** The same as a link of a chain. */
  public AppendRequest asLink() {
    return new AppendRequest(commandId, hash, decision, kind, body, bases, events, condition, true);
  }

  /** Roughly what it takes in memory, on the wire and in the table. */
  public int bytes() {
    long bytes = ROW_BYTES + (body == null ? 0 : body.length());
    for (var basis : bases) {
      bytes += basis.stream.length() + 40;
    }
    for (var event : events) {
      bytes += ROW_BYTES + event.payload.length() + (event.meta == null ? 0 : event.meta.length());
      for (var tag : event.tags) {
        bytes += tag.length() + 8;
      }
    }
    if (condition != null) {
      for (var alternative : condition.alternatives()) {
        bytes += ROW_BYTES;
        for (var tag : alternative.tags()) {
          bytes += tag.length() + 8;
        }
        for (var type : alternative.types() == null ? List.<String>of() : alternative.types()) {
          bytes += type.length() + 8;
        }
      }
    }
    return (int) Math.min(bytes, Integer.MAX_VALUE);
  }

  /** State of the stream of a basis once this is stored. */
  public Tip tipAfter(int basis) {
    var written = 0;
    for (var event : events) {
      if (event.basis == basis) {
        written++;
      }
    }
    var before = bases.get(basis).tip;
    return written == 0 ? before : new Tip(before.version() + written, decision);
  }
}
