package io.evento.protocol;

import static io.evento.protocol.Checks.checkCredit;
import static io.evento.protocol.Checks.listOf;
import static io.evento.protocol.Checks.require;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What is told as it happens: events that somebody follows, and queries that somebody subscribes
 * to.
 */
public sealed interface LiveMessage extends Message {
  /**
   * B→N: give me events as they are stored, from a position on. Answered by {@link Feed}s and at
   * last by {@link Ended}, or by {@link ReplyMessage.Fault} of the same id if it cannot be; ended
   * by {@link ReplyMessage.Cancel}. Filters: null for any.
   *
   * @param id made by whoever follows, unique on its session
   * @param after everything up to here was seen; 0 for nothing
   * @param epoch that {@code after} was seen in; null for the present one
   * @param aggregateId only together with {@code aggregateType}
   * @param events how many may be sent before the first {@link More}
   */
  record Follow(
      UUID id,
      long after,
      @Nullable UUID epoch,
      @Nullable String context,
      @Nullable String type,
      @Nullable String aggregateType,
      @Nullable String aggregateId,
      @Nullable String tag,
      int events)
      implements LiveMessage {
    public Follow {
      require("/id", id);
      if (after < 0) {
        throw EventoException.invalid("/after", "must be 0 or more");
      }
      if (aggregateId != null && aggregateType == null) {
        throw EventoException.invalid("/aggregateType", "is required with aggregateId");
      }
      checkCredit(events);
    }
  }

  /**
   * N→B: the next events for a {@link Follow}, in order.
   *
   * @param upTo last position looked at: where to go on from; without events that is all it says
   */
  record Feed(UUID id, UUID epoch, long upTo, List<RecordedEvent> events) implements LiveMessage {
    public Feed {
      require("/id", id);
      events = listOf(events);
    }
  }

  /** B→N: so many more may be sent, events or updates. */
  record More(UUID id, int events) implements LiveMessage {
    public More {
      require("/id", id);
      checkCredit(events);
    }
  }

  /**
   * N→B: nothing more comes.
   *
   * @param reason {@code epoch} (the store has a new one: what was given above {@code position} is
   *     void), {@code drain} (the node leaves: go on elsewhere), {@code slow} (too little was
   *     taken), {@code unavailable}
   * @param epoch of the position
   * @param position where to go on from
   */
  record Ended(UUID id, String reason, String detail, @Nullable UUID epoch, long position)
      implements LiveMessage {
    public Ended {
      require("/id", id);
      require("/reason", reason);
      detail = detail == null ? "" : detail;
    }
  }

  /**
   * B→N: answer this query now and tell what changes. Answered by a {@link View}, then {@link
   * Update}s; by another {@link View} whenever an update could have been missed, which replaces all
   * that was told before; at last by {@link Ended}, or by {@link ReplyMessage.Fault} of the query's
   * id if it cannot be. Ended by {@link ReplyMessage.Cancel}.
   *
   * @param query its deadline is that of the first answer
   * @param events how many answers and updates may be sent before the first {@link More}
   */
  record Subscribe(QueryMessage.Query query, int events) implements LiveMessage {
    public Subscribe {
      require("/query", query);
      checkCredit(events);
    }
  }

  /**
   * N→B: somebody subscribes to this query; from now on tell what the consumer's handlers change of
   * it. Answered by {@link ReplyMessage.Result} of the query's id, ended by {@link
   * ReplyMessage.Cancel}.
   *
   * @param consumer whose segments this session may have, such as {@code accounts:1}
   */
  record Watch(String consumer, QueryMessage.Query query) implements LiveMessage {
    public Watch {
      require("/consumer", consumer);
      require("/query", query);
    }
  }

  /**
   * An answer of a subscription. B→N: to a {@link QueryMessage.Query} with {@code progress}; N→B:
   * to {@link Subscribe}.
   *
   * @param id of the query
   * @param attempt N→B: 1 for the first answer, more for those that start over
   * @param progress B→N: up to where each range of slots is in this very answer; empty if its
   *     projector keeps no checkpoint beside its rows
   */
  record View(
      UUID id, int attempt, @JsonProperty("p") @Nullable Json payload, List<RangeProgress> progress)
      implements LiveMessage {
    public View {
      require("/id", id);
      progress = listOf(progress);
    }
  }

  /** Where a range of a consumer's slots is. */
  record RangeProgress(int firstSlot, int lastSlot, UUID epoch, long position) {}

  /**
   * What a handled event changes of subscribed queries. B→N: sent once it is committed, in the
   * order of the segment. N→B: to the subscriber.
   *
   * @param ids of the queries concerned
   * @param ordinal of this among the updates of the event
   * @param payload null: what changed cannot be told, ask again
   */
  record Update(
      List<UUID> ids,
      String consumer,
      int segment,
      long fence,
      UUID epoch,
      long position,
      int ordinal,
      @JsonProperty("p") @Nullable Json payload)
      implements LiveMessage {
    public Update {
      ids = listOf(ids);
      require("/consumer", consumer);
      require("/epoch", epoch);
    }

    /** The same for one of those concerned. */
    public Update to(UUID id) {
      return new Update(List.of(id), consumer, segment, fence, epoch, position, ordinal, payload);
    }
  }
}
