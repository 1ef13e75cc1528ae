package io.evento.server.eventstore.append;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.RequestCorrelation;
import io.evento.server.eventstore.Epochs;
import io.evento.server.eventstore.Epochs.Epoch;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import io.evento.server.persistence.UncheckedSqlException;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Shows the stores at the hosts of the URL beside what this node knows, and lets an operator accept
 * one that is refused.
 *
 * <p>Accepting is written into the accepted store itself, together with the epoch that begins with
 * it. So every node that knew the same finds it there by itself, a node that starts later finds
 * nothing strange, and no other copy is let in by it.
 *
 * <p>Keeps invariant I10.
 */
@NodeScoped
public class StoreAcceptance {
  private static final Logger LOG = System.getLogger(StoreAcceptance.class.getName());

  /** Of {@code accept_store_1}: the store is not what the operator looked at. */
  private static final String MOVED = "EV002";

  private static final Map<String, String> IMPATIENT =
      Map.of(
          "preferQueryMode", "simple",
          "connectTimeout", "2",
          "loginTimeout", "4",
          "socketTimeout", "6");

  private static final String LOOK =
      """
      select epoch, head, system_identifier, timeline, refused
        from evento.store_state_1(?::uuid, ?, ?, ?)
      """;

  private static final String LIVES =
      """
      select id, starts_after from evento.store_epoch order by ordinal
      """;

  private static final String CORRELATE =
      """
      select set_config('evento.correlation', ?, false)
      """;

  // Nothing may stand beside the call: it looks at the text that it is called by.
  private static final String ACCEPT =
      """
      select epoch, head from evento.accept_store_1(?::uuid, ?, ?, ?, ?, ?::uuid, ?, ?, ?)
      """;

  private final Database database;
  private final Appender appender;
  private final Follower follower;

  @Inject
  public StoreAcceptance(Database database, Appender appender, Follower follower) {
    this.database = database;
    this.appender = appender;
    this.follower = follower;
  }

  /** How a store stands to what this node knows. */
  public enum Fitness {
    /** It has all that is known, or was promoted or accepted since. */
    FIT,
    /** It has less than is known. */
    REFUSED,
    /** It is a standby. */
    STANDBY,
    /** It does not answer. */
    SILENT
  }

  /**
   * What a host has.
   *
   * @param store null if it does not answer
   * @param why it is refused or does not answer; null if it is fit
   * @param lost what of that which this node knows is not in it; null if nothing is, or if that
   *     cannot be told
   */
  public record Found(
      String host,
      Fitness fitness,
      @Nullable Identity store,
      @Nullable String why,
      @Nullable Lost lost) {}

  /**
   * @param system PostgreSQL's system identifier; null where the schema's owner may not ask for it
   * @param timeline of its WAL; null of a standby
   */
  public record Identity(@Nullable Long system, @Nullable String timeline, UUID epoch, long head) {}

  /**
   * Positions that were seen and are not in a store, or name other events there.
   *
   * @param from first of them
   * @param to last one known
   */
  public record Lost(long from, long to) {}

  /**
   * @param known what this node knows; null if it has met no store yet
   * @param refusal why the store that it met last was refused; null if it was fit
   */
  public record View(@Nullable Identity known, @Nullable String refusal, List<Found> hosts) {}

  /**
   * @param store that is to be accepted, as {@link #look} showed it; its timeline does not matter
   * @param by who says so
   * @param reason or null
   */
  public record Asked(Identity store, String by, @Nullable String reason, boolean isDryRun) {}

  /**
   * @param epoch that began with it; null of a dry run
   */
  public record Accepted(Found found, @Nullable UUID epoch) {}

  /** Asks all hosts; blocks for some seconds for each that does not answer. */
  public View look() {
    var memory = appender.known().memory();
    var found = new ArrayList<Found>();
    for (var host : database.hosts()) {
      found.add(look(host, memory));
    }
    return new View(
        memory == null
            ? null
            : new Identity(
                memory.system(),
                memory.timeline(),
                memory.seen().epoch(),
                memory.seen().position()),
        appender.known().refusal(),
        found);
  }

  private Found look(String host, @Nullable StoreMemory memory) {
    try (var connection = database.unvetted(host, "look", IMPATIENT);
        var look = connection.prepareStatement(LOOK)) {
      bind(look, memory);
      try (var row = look.executeQuery()) {
        row.next();
        var store =
            new Identity(
                row.getObject(3, Long.class),
                row.getString(4),
                row.getObject(1, UUID.class),
                row.getLong(2));
        var refused = row.getString(5);
        if (store.timeline() == null) {
          return new Found(host, Fitness.STANDBY, store, null, null);
        }
        return refused == null || memory == null
            ? new Found(host, Fitness.FIT, store, null, null)
            : new Found(
                host, Fitness.REFUSED, store, refused, lost(lives(connection), store, memory));
      }
    } catch (SQLException failure) {
      LOG.log(Level.INFO, () -> "no store at host=" + host + " cause=" + failure.getMessage());
      return new Found(host, Fitness.SILENT, null, "does not answer", null);
    }
  }

  private static void bind(PreparedStatement look, @Nullable StoreMemory memory)
      throws SQLException {
    if (memory != null) {
      KnownStore.bind(look, 1, memory);
      return;
    }
    look.setNull(1, Types.VARCHAR);
    look.setNull(2, Types.BIGINT);
    look.setNull(3, Types.BIGINT);
    look.setNull(4, Types.VARCHAR);
  }

  private static List<Epoch> lives(Connection connection) throws SQLException {
    try (var select = connection.prepareStatement(LIVES);
        var rows = select.executeQuery()) {
      var lives = new ArrayList<Epoch>();
      while (rows.next()) {
        lives.add(new Epoch(rows.getObject(1, UUID.class), rows.getLong(2)));
      }
      return lives;
    }
  }

  /** Reckoned as everybody will rewind: as if the store had begun its next epoch already. */
  private @Nullable Lost lost(List<Epoch> lives, Identity store, StoreMemory memory) {
    var known = follower.known();
    var seen = memory.seen();
    if (known == null || !known.present().equals(seen.epoch())) {
      return null;
    }
    var next = new ArrayList<>(lives);
    next.add(new Epoch(new UUID(0, 0), store.head()));
    var kept = new Epochs(next).carryOver(known, seen.position()).position();
    return kept < seen.position() ? new Lost(kept + 1, seen.position()) : null;
  }

  /**
   * Accepts a refused store: it begins an epoch at its head, and every node that was ahead rewinds.
   * Blocks on the database.
   *
   * @throws EventoException {@code conflict}, with nothing done, if no host has that store, or if
   *     one has a store that lacks nothing
   */
  public Accepted accept(Asked asked) {
    var memory = appender.known().memory();
    if (memory == null) {
      throw conflict("this node knows of no store and takes the one that it finds");
    }
    var hosts = look().hosts();
    for (var found : hosts) {
      if (found.fitness() == Fitness.FIT) {
        throw conflict(
            "the store at "
                + found.host()
                + " has all that this node knows, so no other can be accepted while it answers");
      }
    }
    var meant =
        hosts.stream()
            .filter(found -> found.fitness() == Fitness.REFUSED && isMeant(found, asked.store()))
            .toList();
    if (meant.size() != 1) {
      throw conflict(
          meant.isEmpty()
              ? "no host has a refused store in epoch "
                  + asked.store().epoch()
                  + " at "
                  + asked.store().head()
                  + " of that system; look again"
              : "more than one host has such a store; stop all but one");
    }
    var found = meant.get(0);
    return new Accepted(found, asked.isDryRun() ? null : accept(found, memory, asked));
  }

  private static boolean isMeant(Found found, Identity asked) {
    var store = Objects.requireNonNull(found.store());
    return store.epoch().equals(asked.epoch())
        && store.head() == asked.head()
        && Objects.equals(store.system(), asked.system());
  }

  private UUID accept(Found found, StoreMemory memory, Asked asked) {
    var store = Objects.requireNonNull(found.store());
    try (var connection = database.unvetted(found.host(), "accept", IMPATIENT);
        var request = new OfRequest(connection);
        var accept = connection.prepareStatement(ACCEPT)) {
      request.say(RequestCorrelation.presentOrNone());
      KnownStore.bind(accept, 1, memory);
      accept.setObject(5, store.system(), Types.BIGINT);
      accept.setString(6, store.epoch().toString());
      accept.setLong(7, store.head());
      accept.setString(8, asked.by());
      accept.setString(9, asked.reason());
      try (var row = accept.executeQuery()) {
        row.next();
        var epoch = row.getObject(1, UUID.class);
        LOG.log(
            Level.WARNING,
            () ->
                "older store accepted host="
                    + found.host()
                    + " was="
                    + store
                    + " epoch="
                    + epoch
                    + " instead of="
                    + memory.seen()
                    + " by="
                    + asked.by()
                    + RequestCorrelation.logged());
        return epoch;
      }
    } catch (SQLException failure) {
      if (MOVED.equals(failure.getSQLState())) {
        throw conflict("the store changed meanwhile; look again");
      }
      throw new UncheckedSqlException("accept store", failure);
    }
  }

  /**
   * Of which request all is that a connection does, until this is closed: a pooler may stand before
   * the store, and give what is behind the connection to somebody else.
   */
  private record OfRequest(Connection connection) implements AutoCloseable {
    void say(String correlation) throws SQLException {
      try (var set = Sql.prepare(connection, CORRELATE)) {
        set.bind(correlation).one(row -> row.getString(1));
      }
    }

    @Override
    public void close() {
      try {
        say("");
      } catch (SQLException failure) {
        LOG.log(Level.DEBUG, () -> "connection ended cause=" + failure.getMessage());
      }
    }
  }

  private static EventoException conflict(String detail) {
    return new EventoException(ErrorCode.CONFLICT, detail);
  }
}
