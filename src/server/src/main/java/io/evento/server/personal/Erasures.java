package io.evento.server.personal;

import io.evento.protocol.Codec;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.PersonalMessage;
import io.evento.server.NodeScoped;
import io.evento.server.RequestCorrelation;
import io.evento.server.Threads;
import io.evento.server.config.PersonalConfig;
import io.evento.server.config.ServerConfig;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.eventstore.read.SnapshotTable;
import io.evento.server.persistence.Database;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.command.Appends;
import io.evento.server.security.Caller;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Erases subjects, and knows who was erased.
 *
 * <p>The list is kept three times: in memory, which is asked before a key is given; in a file of
 * this node, which is written first and outlives a restore of the database; and in the table, by
 * which the nodes hear of each other's. Twice a second a node looks for the number of the newest
 * one, and reads those that came since. All are compared one by one where the numbers went back,
 * the store has another past, or one was not stored. What the table does not have is replayed into
 * it, with the keys dropped and the event told anew. So after a restore a subject stays erased as
 * soon as one node runs that knows of it, and that node gives no key of it at any time.
 */
@NodeScoped
public class Erasures {
  private static final Logger LOG = System.getLogger(Erasures.class.getName());
  private static final long LOOK_MILLIS = 500;
  private static final int TELL_MILLIS = 10_000;
  private static final String CONTEXT = "evento.personal";
  private static final String TYPE = "SubjectErased";

  private final PersonalConfig config;
  private final String node;
  private final Database database;
  private final SnapshotTable snapshots;
  private final Appends appends;
  private final Threads threads;
  private final ExecutorService worker;
  private final Map<String, Erasure> known = new ConcurrentHashMap<>();
  private final List<Consumer<List<String>>> listeners = new CopyOnWriteArrayList<>();
  private volatile @Nullable MasterKey master;
  private volatile boolean isCompared;

  /** Up to which number those of the table are known here. */
  private volatile long seen;

  /** The highest number that the table is known to have had. */
  private final AtomicLong highest = new AtomicLong();

  @Inject
  public Erasures(
      PersonalConfig config,
      ServerConfig server,
      Database database,
      SnapshotTable snapshots,
      Appends appends,
      Follower follower,
      Threads threads) {
    this.config = config;
    node = server.node().name();
    this.database = database;
    this.snapshots = snapshots;
    this.appends = appends;
    this.threads = threads;
    worker = threads.pool("erasures", 1, 1);
    follower.onNewEpoch(epoch -> isCompared = false);
  }

  /**
   * What is known of an erasure.
   *
   * @param position of the event that tells it
   * @param keys that were dropped now
   * @param snapshots that were dropped now
   */
  public record Done(
      String subject,
      String id,
      String at,
      String by,
      String reason,
      long position,
      int keys,
      int snapshots) {}

  /**
   * Reads the master key and the list, and goes on looking at the table.
   *
   * @throws IOException if a file cannot be read: then this node must give no key
   */
  public void start() throws IOException {
    var keys = config.masterKeys();
    if (keys.isEmpty()) {
      LOG.log(Level.INFO, () -> "personal data has no master key here, no keys are given");
      return;
    }
    var read = MasterKeyFile.read(keys.get());
    for (var erasure : file().read()) {
      known.put(erasure.subject(), erasure);
    }
    compare();
    master = read;
    threads
        .timer()
        .scheduleWithFixedDelay(this::wake, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
  }

  private ErasureFile file() {
    return new ErasureFile(config.erasures().orElseThrow());
  }

  /** Calls back with the subjects that this node hears to be erased; short and without blocking. */
  public void onErased(Consumer<List<String>> listener) {
    listeners.add(listener);
  }

  /**
   * @throws EventoException {@code unavailable} without one
   */
  MasterKey master() {
    var here = master;
    if (here == null) {
      throw new EventoException(
          ErrorCode.UNAVAILABLE,
          config.masterKeys().isEmpty()
              ? "this node has no key for personal data: set evento.personal.master-key-file"
              : "this node has not read its keys for personal data yet");
    }
    return here;
  }

  boolean isErased(String subject) {
    return known.containsKey(subject);
  }

  /**
   * Erases a subject: after this no node gives a key of it, and it is told in an event. A repeat
   * changes nothing, and ends what one before it could not. Blocks.
   *
   * @param id of the subject, as payloads name it
   * @param by who asks for it
   * @param address from where
   * @throws EventoException {@code not-found} if there never was a key of it; {@code unavailable}
   *     if it did not come to its end; whoever asks repeats it
   */
  public Done erase(String id, String by, String address, String reason) {
    var unused = master();
    var subject = PersonalMessage.hash(id);
    if (!known.containsKey(subject)
        && !database.read("look for keys", open -> isKept(open, subject))) {
      // Most likely the id is misspelled, and a certificate would say that somebody is erased.
      throw new EventoException(
          ErrorCode.NOT_FOUND, "nothing personal is kept under this id: there is no key of it");
    }
    var erasure =
        known.getOrDefault(subject, new Erasure(subject, id, Instant.now().toString(), by, reason));
    var stored = keepAndStore(erasure, address);
    var row = stored.row();
    var first = row.erasure();
    var position = row.position() != null ? row.position() : tell(erasure);
    LOG.log(
        Level.INFO,
        () ->
            "subject erased subject="
                + subject
                + " by="
                + by
                + " keys="
                + stored.keys()
                + RequestCorrelation.logged());
    return new Done(
        subject,
        first.id(),
        first.at(),
        first.by(),
        first.reason(),
        position,
        stored.keys(),
        stored.snapshots());
  }

  /** What the table has of one, and what was dropped for it. */
  private record Stored(ErasureTable.Row row, int keys, int snapshots) {}

  private Stored keepAndStore(Erasure erasure, String address) {
    var isInTable = false;
    try {
      keep(List.of(erasure));
      var keys = store(List.of(erasure), false, address);
      var row =
          row(erasure.subject())
              .orElseThrow(() -> new IllegalStateException("an erasure was not stored"));
      highest.accumulateAndGet(row.ordinal(), Math::max);
      isInTable = true;
      return new Stored(row, keys, snapshots.dropWith(erasure.subject()));
    } finally {
      if (!isInTable) {
        // Whatever broke it off, it may be in file and memory alone, and is replayed from there.
        // Said afterwards: a comparison that began before did not know of it.
        isCompared = false;
      }
    }
  }

  private static boolean isKept(Connection open, String subject) throws SQLException {
    return !SubjectKeyTable.find(open, List.of(subject)).isEmpty()
        || ErasureTable.find(open, subject).isPresent();
  }

  /** What is known of a subject's erasure, its position 0 if no event told it yet. Blocks. */
  public Optional<Done> find(String id) {
    return row(PersonalMessage.hash(id))
        .map(
            row -> {
              var erasure = row.erasure();
              var position = row.position();
              return new Done(
                  erasure.subject(),
                  erasure.id(),
                  erasure.at(),
                  erasure.by(),
                  erasure.reason(),
                  position == null ? 0 : position,
                  0,
                  0);
            });
  }

  private Optional<ErasureTable.Row> row(String subject) {
    return database.read("read erasure", open -> ErasureTable.find(open, subject));
  }

  private void keepUnknown(List<Erasure> stored) {
    var unknown = stored.stream().filter(one -> !known.containsKey(one.subject())).toList();
    if (!unknown.isEmpty()) {
      keep(unknown);
    }
  }

  /** Has them in file and memory, and tells the bundles of this node. */
  private void keep(List<Erasure> erasures) {
    var told = new ArrayList<String>();
    for (var erasure : erasures) {
      if (!known.containsKey(erasure.subject())) {
        try {
          file().add(erasure);
        } catch (IOException failure) {
          throw new UncheckedIOException("the list of erasures cannot be written", failure);
        }
        known.put(erasure.subject(), erasure);
      }
      told.add(erasure.subject());
    }
    for (var from = 0; from < told.size(); from += PersonalMessage.SUBJECTS_MAX) {
      var some =
          List.copyOf(
              told.subList(from, Math.min(told.size(), from + PersonalMessage.SUBJECTS_MAX)));
      listeners.forEach(listener -> listener.accept(some));
    }
  }

  /**
   * Has them in the table, and their keys dropped.
   *
   * @return how many keys there were
   */
  private int store(List<Erasure> erasures, boolean isReplay, String address) {
    return database.read(
        "erase subjects", open -> ErasureTable.erase(open, erasures, isReplay, node, address));
  }

  private void wake() {
    try {
      worker.execute(this::look);
    } catch (RejectedExecutionException busy) {
      LOG.log(Level.DEBUG, "the last look at the erasures takes long");
    }
  }

  private void look() {
    try {
      var found = database.read("look for erasures", ErasureTable::look);
      if (!isCompared || found.last() < highest.get()) {
        compare();
      } else if (found.last() > seen) {
        keepUnknown(database.read("read new erasures", open -> ErasureTable.since(open, seen)));
        see(found.last());
      }
      if (found.hasUntold()) {
        for (var untold : database.read("read erasures", ErasureTable::untold)) {
          tellIfPossible(untold);
        }
      }
    } catch (RuntimeException failure) {
      LOG.log(Level.WARNING, () -> "erasures not looked at cause=" + failure.getMessage());
    }
  }

  private void see(long last) {
    seen = last;
    highest.accumulateAndGet(last, Math::max);
  }

  /** One that cannot be told just now does not keep the others waiting. */
  private void tellIfPossible(Erasure untold) {
    try {
      tell(untold);
    } catch (RuntimeException failure) {
      LOG.log(Level.WARNING, () -> "an erasure is not told yet cause=" + failure.getMessage());
    }
  }

  private void compare() {
    isCompared = true; // what comes meanwhile, as a new epoch, asks for another comparison
    var isComplete = false;
    try {
      var last = database.read("look for erasures", ErasureTable::look).last();
      var stored = database.read("read erasures", ErasureTable::all);
      var subjects = stored.stream().map(Erasure::subject).collect(Collectors.toSet());
      var lost = known.values().stream().filter(one -> !subjects.contains(one.subject())).toList();
      keepUnknown(stored);
      highest.set(last);
      see(last);
      if (!lost.isEmpty()) {
        var keys = store(lost, true, "");
        LOG.log(
            Level.WARNING,
            () -> "erasures replayed into the database count=" + lost.size() + " keys=" + keys);
      }
      isComplete = true;
    } finally {
      if (!isComplete) {
        isCompared = false;
      }
    }
  }

  /**
   * Tells it in an event. Its id is kept with the erasure, so however many nodes tell it at once,
   * it is there once; and nobody knows it before, who could use it for something else.
   *
   * @return position of the event
   */
  private long tell(Erasure erasure) {
    var payload = new Json("{\"subject\":" + Codec.text(erasure.id()) + "}");
    var id =
        database
            .read("read erasure", open -> ErasureTable.eventId(open, erasure.subject()))
            .orElseThrow(() -> new IllegalStateException("an erasure is to be told that is none"));
    var event = new NewEvent(TYPE, List.of(), payload);
    var deadline = Deadline.in(TELL_MILLIS);
    try {
      var receipt =
          appends
              .append(
                  new Appends.Append(
                      Caller.developer("node"),
                      id,
                      payload,
                      CONTEXT,
                      null,
                      List.of(event),
                      null,
                      deadline,
                      null,
                      null))
              .toCompletableFuture()
              .get(2L * TELL_MILLIS, TimeUnit.MILLISECONDS);
      var position = receipt.position();
      if (position == null) {
        throw new IllegalStateException("an erasure was told without an event");
      }
      database.read(
          "note erasure",
          open -> {
            ErasureTable.told(open, erasure.subject(), position);
            return position;
          });
      return position;
    } catch (EventoException | ExecutionException | TimeoutException failure) {
      throw untold(failure);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw untold(stopped);
    }
  }

  private static EventoException untold(Exception cause) {
    var told =
        new EventoException(
            ErrorCode.UNAVAILABLE,
            "the keys are dropped, but the event that tells it is not known to be stored; repeat"
                + " the request, or wait until a node tells it");
    told.initCause(cause);
    return told;
  }
}
