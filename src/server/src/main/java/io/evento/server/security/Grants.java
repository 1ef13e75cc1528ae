package io.evento.server.security;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.persistence.Database;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The valid credentials, as this node holds them in memory.
 *
 * <p>A thread of its own reads {@code grant_version} every 0.4 s and everything after each change,
 * so no request asks the database who its caller is. Once the last reading is older than {@link
 * #STALE_NANOS} this node cannot tell what was revoked, and knows nobody.
 */
@NodeScoped
public class Grants {
  private static final Logger LOG = System.getLogger(Grants.class.getName());
  private static final long POLL_MILLIS = 400;
  private static final long WATCH_MILLIS = 100;

  /** By then every node that reaches the database has read what was changed before. */
  private static final long EVERYWHERE_MILLIS = POLL_MILLIS + 200;

  /**
   * What was revoked is of no use anywhere 2 s later: a node that cannot read it ends all sessions
   * by then, and noticing and closing take a part of that.
   */
  static final long STALE_NANOS = TimeUnit.MILLISECONDS.toNanos(1_700);

  private static final long NOTE_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final Duration ANSWERS = Duration.ofSeconds(2);

  /** What one reading found; immutable. */
  private record Held(
      long version, boolean armed, Map<ByteBuffer, Grant> byHash, Map<UUID, Grant> byId) {}

  private final Database database;
  private final Threads threads;
  private final OpenMode mode;
  private final ExecutorService watching;
  private final List<Runnable> watchers = new CopyOnWriteArrayList<>();
  private final AtomicBoolean isTelling = new AtomicBoolean();
  private final Map<UUID, String> usedTokens = new ConcurrentHashMap<>(); // with the last address
  private final Set<UUID> usedLogins = ConcurrentHashMap.newKeySet();
  private volatile Held held = new Held(0, false, Map.of(), Map.of());
  private volatile long lastRead = System.nanoTime() - TimeUnit.HOURS.toNanos(1);
  private volatile boolean wasFresh;
  private volatile boolean stopping;

  // Of the reading thread.
  private @Nullable Connection connection;
  private long lastNote = System.nanoTime();
  private @Nullable Thread reader;

  // Of the timer.
  private long lastWatch = System.nanoTime();

  @Inject
  public Grants(Database database, Threads threads, OpenMode mode) {
    this.database = database;
    this.threads = threads;
    this.mode = mode;
    watching = threads.pool("grants-watch", 1, 2);
  }

  /** Starts reading; the tables have to be there. */
  public void start() {
    reader = threads.start("grants", this::run);
    threads
        .timer()
        .scheduleWithFixedDelay(this::watch, WATCH_MILLIS, WATCH_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Whether this node can tell which credentials are valid. */
  public boolean isFresh() {
    return System.nanoTime() - lastRead < STALE_NANOS;
  }

  /** Whether there ever was an administrator, by the last reading. */
  public boolean isArmed() {
    return held.armed;
  }

  /**
   * Who has a token.
   *
   * @param address of its peer
   * @throws EventoException {@code unauthenticated}, or {@code unavailable} if this node cannot
   *     tell just now
   */
  public Caller authenticate(String token, String address) {
    checkFresh();
    var grant =
        Token.hashOf(token)
            .flatMap(hash -> find(hash, Caller.Kind.BUNDLE))
            .orElseThrow(() -> unknown("the token is not valid"));
    usedTokens.put(grant.id(), address);
    return grant.caller(address);
  }

  /**
   * A person's session.
   *
   * @param csrf what each request of it that may change something has to say
   */
  public record Session(Caller caller, String csrf) {}

  /**
   * The session that a cookie's value belongs to.
   *
   * @param isAct whether its person does something, so that it goes on; else its page asks by
   *     itself
   * @return empty if there is none any more
   * @throws EventoException {@code unavailable} if this node cannot tell just now
   */
  public Optional<Session> session(String cookie, String address, boolean isAct) {
    checkFresh();
    return find(Token.hash(cookie), Caller.Kind.USER)
        .map(
            grant -> {
              if (isAct) {
                usedLogins.add(grant.id());
              }
              return new Session(grant.caller(address), grant.csrf());
            });
  }

  /**
   * Who is meant by what {@link Caller#who} says, with the rights that it has now.
   *
   * @return empty if it has no valid credential any more
   * @throws EventoException {@code unavailable} if this node cannot tell just now
   */
  public Optional<Caller> named(String who) {
    if (mode.letsEverybodyIn()) {
      return Optional.of(Caller.developer(""));
    }
    checkFresh();
    var now = System.nanoTime();
    return held.byId.values().stream()
        .filter(grant -> !grant.isOver(now))
        .map(grant -> grant.caller(""))
        .filter(caller -> caller.who().equals(who))
        .findFirst();
  }

  /** Whether everybody may do everything here, be it known or not. */
  public boolean asksNobody() {
    return mode.letsEverybodyIn();
  }

  /** What the page of a person's session has to say; empty of all others. */
  public Optional<String> csrf(Caller caller) {
    var id = caller.credential();
    var grant = id == null ? null : held.byId.get(id);
    return grant == null || grant.kind() != Caller.Kind.USER
        ? Optional.empty()
        : Optional.of(grant.csrf());
  }

  private Optional<Grant> find(byte[] hash, Caller.Kind kind) {
    var grant = held.byHash.get(ByteBuffer.wrap(hash));
    return grant == null || grant.kind() != kind || grant.isOver(System.nanoTime())
        ? Optional.empty()
        : Optional.of(grant);
  }

  private void checkFresh() {
    if (!isFresh()) {
      throw new EventoException(
          ErrorCode.UNAVAILABLE,
          "this node cannot tell which credentials are valid just now; try another");
    }
  }

  static EventoException unknown(String why) {
    return new EventoException(ErrorCode.UNAUTHENTICATED, why);
  }

  /**
   * Whether the credential by which it was recognized is still valid, with the same rights, by what
   * this node knows; false too once it cannot know.
   */
  public boolean isValid(Caller caller) {
    if (caller.kind() == Caller.Kind.DEVELOPER) {
      return mode.letsEverybodyIn();
    }
    var credential = caller.credential();
    var grant = credential == null ? null : held.byId.get(credential);
    return grant != null && isFresh() && !grant.isOver(System.nanoTime()) && grant.isOf(caller);
  }

  /** Calls back after each change of credentials or rights, and once the node cannot know them. */
  public void onChange(Runnable watcher) {
    watchers.add(watcher);
  }

  /** Reads at once what this node has changed. */
  public synchronized void refresh() {
    notifyAll();
  }

  /**
   * Completes when all nodes that reach the database know what was changed until now; another one
   * knows nobody once it is blind for {@link #STALE_NANOS}. On the timer's thread: what comes of it
   * has to be done by another one.
   */
  public CompletionStage<Void> everywhere() {
    refresh();
    var later = new CompletableFuture<Void>();
    threads.timer().schedule(() -> later.complete(null), EVERYWHERE_MILLIS, TimeUnit.MILLISECONDS);
    return later;
  }

  private void run() {
    while (!stopping) {
      try {
        read();
      } catch (SQLException | RuntimeException failure) {
        close();
        if (isFresh()) {
          LOG.log(Level.WARNING, () -> "credentials not read cause=" + failure.getMessage());
        }
      }
      try {
        synchronized (this) {
          wait(POLL_MILLIS);
        }
      } catch (InterruptedException stopped) {
        break;
      }
    }
    close();
  }

  private void read() throws SQLException {
    var open = connection;
    var isNew = open == null;
    if (open == null) {
      open = database.direct("grants", ANSWERS, Map.of());
      connection = open;
    }
    var before = System.nanoTime();
    var version = GrantTable.version(open);
    var isDue = before - lastNote >= NOTE_NANOS;
    if (isDue) {
      noteUses(open);
      lastNote = before;
    }
    // Another server may be the primary now, and say the same number of something else. And once a
    // minute, as other nodes note there when a session was used.
    if (isNew || isDue || version.number() != held.version) {
      load(open, version);
    }
    lastRead = before;
  }

  private void load(Connection open, GrantTable.Version version) throws SQLException {
    var byHash = new HashMap<ByteBuffer, Grant>();
    var byId = new HashMap<UUID, Grant>();
    for (var one : GrantTable.all(open)) {
      byHash.put(ByteBuffer.wrap(one.hash()), one.grant());
      byId.put(one.grant().id(), one.grant());
    }
    held = new Held(version.number(), version.armed(), byHash, byId);
    tell();
  }

  private void noteUses(Connection open) throws SQLException {
    var tokens = new LinkedHashMap<>(usedTokens);
    var logins = List.copyOf(usedLogins);
    GrantTable.noteUses(open, tokens, logins);
    tokens.forEach(usedTokens::remove); // one used from elsewhere meanwhile stays
    logins.forEach(usedLogins::remove);
  }

  /** Sees what happens by time alone: that this node has become blind, and that a grant ended. */
  private void watch() {
    var before = lastWatch;
    var now = System.nanoTime();
    lastWatch = now;
    var fresh = isFresh();
    var hasChanged = fresh != wasFresh;
    wasFresh = fresh;
    if (hasChanged
        || held.byId.values().stream().anyMatch(one -> one.isOver(now) && !one.isOver(before))) {
      tell();
    }
  }

  private void tell() {
    if (!isTelling.compareAndSet(false, true)) {
      return; // who is told next sees the same
    }
    try {
      watching.execute(
          () -> {
            isTelling.set(false);
            watchers.forEach(Grants::tell);
          });
    } catch (RejectedExecutionException stopped) {
      isTelling.set(false);
    }
  }

  private static void tell(Runnable watcher) {
    try {
      watcher.run();
    } catch (RuntimeException failure) {
      LOG.log(Level.ERROR, "a watcher of credentials failed", failure);
    }
  }

  private void close() {
    var open = connection;
    connection = null;
    if (open != null) {
      try {
        open.close();
      } catch (SQLException ignored) {
        LOG.log(Level.DEBUG, "connection of credentials was dead");
      }
    }
  }

  @PreDestroy
  public void stop() {
    stopping = true;
    var running = reader;
    if (running != null) {
      running.interrupt();
    }
  }
}
