package io.evento.protocol;

import static io.evento.protocol.Checks.checkDeadline;
import static io.evento.protocol.Checks.checkFlow;
import static io.evento.protocol.Checks.require;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Queries that are answered once. */
public sealed interface QueryMessage extends Message {
  /**
   * Either way: answer this query; answered by {@link ReplyMessage.Result} or {@link
   * ReplyMessage.Fault} of the same id.
   *
   * @param id made by the asking side, once per question
   * @param payloadVersion of the payload's shape, 1 and up; 1 where it is not said
   * @param after the answer has to rest on everything up to here; null for what it rests on now
   * @param gather whom to ask, for one answer of several; null for one answerer
   * @param progress N→B: the consumer whose checkpoints the answer has to name, so that it is a
   *     {@link LiveMessage.View}; else null
   */
  record Query(
      UUID id,
      String type,
      @JsonInclude(value = JsonInclude.Include.CUSTOM, valueFilter = PayloadVersions.First.class)
          int payloadVersion,
      int deadline,
      @Nullable String trace,
      @JsonProperty("p") Json payload,
      @Nullable After after,
      @Nullable Gather gather,
      @Nullable String progress)
      implements QueryMessage {
    public Query {
      require("/id", id);
      Names.checkType("/type", type);
      payloadVersion = PayloadVersions.orFirst("/payloadVersion", payloadVersion);
      require("/p", payload);
      checkFlow("/trace", trace);
      checkDeadline(deadline);
    }

    /** A question in its first version to whoever answers first, on what is known there. */
    public Query(UUID id, String type, int deadline, @Nullable String trace, Json payload) {
      this(id, type, 1, deadline, trace, payload, null, null, null);
    }

    /** The same for one answerer, who need not know what its node waited for. */
    public Query toOne(int millisLeft) {
      return new Query(id, type, payloadVersion, millisLeft, trace, payload, null, null, progress);
    }

    /** The same under an id of its own, for one of several answerers. */
    public Query copy(UUID ofCopy, int millisLeft) {
      return new Query(ofCopy, type, payloadVersion, millisLeft, trace, payload, null, null, null);
    }

    /** The same under an id of its own, whose answer names the consumer's checkpoints. */
    public Query withProgress(UUID ofCopy, String consumer, int millisLeft) {
      return new Query(
          ofCopy, type, payloadVersion, millisLeft, trace, payload, null, null, consumer);
    }
  }

  /**
   * What an answer has to rest on.
   *
   * @param epoch that the position was seen in; null for the present one
   * @param stream the only one that matters; null if all do
   */
  record After(
      long position,
      @Nullable UUID epoch,
      @JsonProperty("agg") DecideMessage.@Nullable Aggregate stream) {
    /** Whoever answers has to have seen the position, whatever stream it is of. */
    public static After of(long position, @Nullable UUID epoch) {
      return new After(position, epoch, null);
    }

    public After {
      if (position < 0) {
        throw EventoException.invalid("/after/position", "must be 0 or more");
      }
    }

    /** A position of the present epoch. */
    public After(long position, DecideMessage.@Nullable Aggregate stream) {
      this(position, null, stream);
    }
  }

  /** Whom to ask at once. */
  enum Gather {
    /** Every instance that answers the type. */
    @JsonProperty("instances")
    INSTANCES,
    /** One instance of each version of the projector. */
    @JsonProperty("versions")
    VERSIONS
  }
}
