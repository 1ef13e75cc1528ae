package io.evento.server.consumer.delivery;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import io.evento.server.consumer.segment.AuditTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.consumer.segment.SegmentTable;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which consumers have handled events that the store has lost since. A segment goes on from where
 * both lives of the store agree, but what the lost events did, in a read model or by commands that
 * were sent, is not undone by that; so it is kept until an operator has the events handled again or
 * says that he knows. Its methods block on the database.
 *
 * <p>Why none that can be known is overlooked: before anything of the new life is sent to a
 * session, the row is committed under the segment's fence. What a segment has handled beyond the
 * cut is told by the bundle's own checkpoint where there is one, as it stands and falls with the
 * rows beside it; by the segment's row for what the server keeps in the same database; and for a
 * projector without its own checkpoint also by what this node had sent it, as its effects are
 * nowhere that the server could look. Where another node has the segment by then, the node that
 * served it adds what it knows, beside the delivery and without its fence.
 *
 * <p>Keeps invariant I10.
 */
@NodeScoped
public class LostEvents {
  private static final Logger LOG = System.getLogger(LostEvents.class.getName());

  private final Database database;
  private final UUID incarnation;

  /**
   * Lost events that a segment has handled.
   *
   * @param segment its number then
   * @param epoch the life of the store that they belonged to
   * @param from first position that is lost
   * @param to last position that was handled, or may have been
   * @param events how many of them were given to it; null if nobody remembers
   * @param streams of these, as far as they are remembered; at most a hundred
   * @param certain whether they were handled; else they were sent, and nobody knows
   */
  public record Loss(
      String name,
      int version,
      int segment,
      UUID epoch,
      int firstSlot,
      int lastSlot,
      long from,
      long to,
      @Nullable Integer events,
      List<String> streams,
      boolean certain,
      OffsetDateTime since) {

    /** How many events may be concerned. */
    public long count() {
      return events == null ? to - from + 1 : events;
    }

    /** In a sentence. */
    public String said() {
      return "holds effects of "
          + (events == null ? "up to " : "")
          + count()
          + " lost events"
          + (certain ? "" : " perhaps")
          + ", positions "
          + from
          + " to "
          + to
          + " of epoch "
          + epoch;
    }
  }

  @Inject
  public LostEvents(Database database, Links links) {
    this(database, links.incarnation());
  }

  public LostEvents(Database database, UUID incarnation) {
    this.database = database;
    this.incarnation = incarnation;
  }

  /**
   * Keeps that a segment has handled what is lost; may be repeated.
   *
   * @param seen up to where it had handled all
   * @param to up to where that is still so
   * @param sent what this node remembers of having given it; null for nothing
   * @return false if somebody else has the segment; nothing was changed then
   */
  boolean note(Lease lease, StorePosition seen, long to, @Nullable Sent sent, boolean isCertain) {
    var claimed = lease.claimed();
    var loss =
        loss(lease.segment(), claimed.firstSlot(), claimed.lastSlot(), seen, to, sent, isCertain);
    if (loss.isEmpty()) {
      return true;
    }
    var step = lease.step();
    var noted = database.transact("note lost events", open -> note(open, step, loss.get()));
    if (noted == Noted.NEW) {
      log(loss.get(), lease.toString());
    }
    if (noted != Noted.FENCED) {
      lease.wrote(step);
    }
    return noted != Noted.FENCED;
  }

  /**
   * The same for a segment that was served here once, and is perhaps another node's now. It needs
   * no fence, as it changes nothing but what is known; may be repeated.
   *
   * @return false as long as the consumer is not declared in the store
   */
  boolean noteGiven(
      SegmentId segment, int firstSlot, int lastSlot, StorePosition seen, long to, Sent sent) {
    var loss = loss(segment, firstSlot, lastSlot, seen, to, sent, false);
    if (loss.isEmpty()) {
      return true;
    }
    try {
      var noted =
          database.transact(
              "note lost events",
              open -> {
                ConsumerTable.lock(open, segment.consumer());
                return note(open, segment.consumer(), loss.get());
              });
      if (noted == Noted.NEW) {
        log(loss.get(), segment.toString());
      }
      return true;
    } catch (EventoException unknown) {
      if (unknown.code() != ErrorCode.NOT_FOUND) {
        throw unknown;
      }
      return false;
    }
  }

  /** Empty if what is lost there was of nobody's concern. */
  private static Optional<Loss> loss(
      SegmentId segment,
      int firstSlot,
      int lastSlot,
      StorePosition seen,
      long to,
      @Nullable Sent sent,
      boolean isCertain) {
    var part =
        sent == null || !sent.epoch().equals(seen.epoch())
            ? new Sent.Part(0, false, Set.of())
            : sent.between(to, seen.position());
    if (part.isAll() && part.events() == 0) {
      return Optional.empty();
    }
    return Optional.of(
        new Loss(
            segment.consumer().name(),
            segment.consumer().version(),
            segment.number(),
            seen.epoch(),
            firstSlot,
            lastSlot,
            to + 1,
            seen.position(),
            part.isAll() ? part.events() : null,
            part.streams().stream().sorted().toList(),
            isCertain,
            OffsetDateTime.MIN));
  }

  private static void log(Loss loss, String where) {
    LOG.log(
        Level.ERROR, () -> "consumer " + loss.said() + ": " + where + " streams=" + loss.streams());
  }

  private enum Noted {
    NEW,
    KNOWN,
    FENCED
  }

  private Noted note(Connection open, Lease.Step step, Loss loss) throws SQLException {
    var consumer = step.segment().consumer();
    ConsumerTable.lock(open, consumer);
    if (!SegmentTable.write(open, List.of(step), incarnation).contains(step.segment())) {
      return Noted.FENCED;
    }
    return note(open, consumer, loss);
  }

  private static Noted note(Connection open, ConsumerId consumer, Loss loss) throws SQLException {
    if (!LostEventTable.add(open, loss)) {
      return Noted.KNOWN;
    }
    AuditTable.add(
        open,
        consumer,
        AuditTable.SERVER,
        "lost",
        "segment " + loss.segment() + " " + loss.said(),
        null);
    return Noted.NEW;
  }

  /** All that nobody has settled, by consumer and segment. */
  public List<Loss> all() {
    return database.read("read losses", LostEventTable::all);
  }
}
