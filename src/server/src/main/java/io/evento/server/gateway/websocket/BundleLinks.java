package io.evento.server.gateway.websocket;

import io.evento.protocol.Backoff;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Printable;
import io.evento.protocol.SessionMessage;
import io.evento.protocol.silence.SchedulingDelay;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.catalog.Removals;
import io.evento.server.cluster.Members;
import io.evento.server.cluster.Membership;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.gateway.access.Callers;
import io.evento.server.personal.Erasures;
import io.evento.server.routing.Failures;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.server.security.Shares;
import io.evento.server.setting.Setting;
import jakarta.inject.Inject;
import jakarta.websocket.CloseReason;
import jakarta.websocket.CloseReason.CloseCode;
import jakarta.websocket.CloseReason.CloseCodes;
import jakarta.websocket.Session;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Predicate;

/** The open sessions as the gateway sees them: keeps each of them talking, or closes it. */
@NodeScoped
public class BundleLinks {
  private static final Logger LOG = System.getLogger(BundleLinks.class.getName());
  private static final long TICK_MILLIS = 250;
  private static final int DECLARE_TRIES = 60;
  private static final Backoff DECLARING =
      new Backoff(Duration.ofMillis(750), Duration.ofMillis(750));

  /** Private use, as WebSocket has no code for it: the credential is not valid any more. */
  static final CloseCode REVOKED = CloseCodes.getCloseCode(4001);

  private final BundleServices door;
  private final Grants grants;
  private final Shares shares;
  private final TyrusIdleTimerFix remedy;
  private final ExecutorService closers;
  private final ScheduledExecutorService timer;
  private final SchedulingDelay delay;
  private final Set<BundleLink> open = ConcurrentHashMap.newKeySet();

  @Inject
  public BundleLinks(
      BundleServices door,
      TyrusIdleTimerFix remedy,
      Grants grants,
      Shares shares,
      Removals removals,
      Membership membership,
      Follower follower,
      Erasures erasures,
      Threads threads) {
    this.door = door;
    this.grants = grants;
    this.shares = shares;
    grants.onChange(this::endRevoked);
    removals.onRemoved(this::endHostsOf);
    this.remedy = remedy;
    // Closing may wait for a peer that does not read: never on a thread that others need.
    closers = threads.pool("ws-close", 4, 10_000);
    threads
        .timer()
        .scheduleWithFixedDelay(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
    membership.onChange(this::tell);
    timer = threads.timer();
    delay = threads.delay();
    erasures.onErased(subjects -> open.forEach(link -> link.erased(subjects)));
    follower.onNewEpoch(epoch -> open.forEach(link -> declareAnew(link, 1)));
  }

  BundleLink open(Session session) {
    remedy.apply(session);
    return open(
        Callers.of(session.getUserPrincipal()),
        session.getId(),
        SessionWriter.Remote.of(session.getAsyncRemote()),
        (code, reason) -> close(session, code, reason));
  }

  /**
   * Begins a session over whatever leads to its bundle.
   *
   * @param close ends what leads there; never waits
   */
  BundleLink open(
      Caller caller,
      String name,
      SessionWriter.Remote remote,
      BiConsumer<CloseCode, String> close) {
    var link = new BundleLink(door, caller, name, remote, close);
    if (isFull()) {
      turnAway(link, "this node has too many sessions; try another");
      return link;
    }
    try {
      shares.take(Shares.Of.SESSIONS, link.caller());
    } catch (EventoException overloaded) {
      turnAway(link, overloaded.code().wire() + ": " + overloaded.detail());
      return link;
    }
    open.add(link);
    // Whoever lost its credential while it came is not among those that were told.
    if (!grants.isValid(link.caller())) {
      revoke(link);
    }
    return link;
  }

  private void turnAway(BundleLink link, String why) {
    link.closed("full");
    link.close(why);
  }

  /** Ends the sessions of all whose credential is not valid any more, or has other rights now. */
  private void endRevoked() {
    for (var link : open) {
      if (!grants.isValid(link.caller())) {
        revoke(link);
      }
    }
  }

  /** Who declared what was being removed declares it again. */
  private void endHostsOf(String kind, String name) {
    for (var link : open) {
      if (link.hosts(kind, name)) {
        link.part("what it declared was removed from the catalog");
      }
    }
  }

  private void revoke(BundleLink link) {
    if (grants.isFresh()) {
      closed(link, "revoked");
      link.close(REVOKED, "revoked");
    } else {
      var why = "this node cannot tell who is who just now; try another";
      closed(link, why);
      link.close(why);
    }
  }

  /** A few may come in at once beyond the bound. */
  private boolean isFull() {
    var max = door.settings.get(Setting.SESSIONS_MAX);
    var silentMax = door.settings.get(Setting.SESSIONS_WITHOUT_HELLO_MAX);
    return open.size() >= max
        || (open.size() >= silentMax
            && open.stream().filter(link -> !link.isGreeted()).count() >= silentMax);
  }

  /** Ends a session whose peer does not keep to the protocol. */
  void refuse(BundleLink link, CloseCode code, String reason) {
    closed(link, reason);
    link.close(code, reason);
  }

  void closed(BundleLink link, String reason) {
    if (open.remove(link)) {
      shares.giveBack(Shares.Of.SESSIONS, link.caller());
      link.closed(reason);
    }
  }

  private void close(Session session, CloseCode code, String reason) {
    try {
      closers.execute(
          () -> {
            try {
              session.close(new CloseReason(code, reason));
            } catch (IOException | RuntimeException gone) {
              LOG.log(Level.DEBUG, "session was gone already", gone);
            }
          });
    } catch (RejectedExecutionException busy) {
      LOG.log(Level.WARNING, () -> "session not closed yet session=" + session.getId());
    }
  }

  private void tick() {
    try {
      var now = System.nanoTime();
      var patience = delay.patienceNanos();
      for (var link : open) {
        SilentSessions.look(link, now, patience)
            .ifPresent(
                reason -> {
                  // Its requests are asked elsewhere at once, however long the close takes.
                  closed(link, reason);
                  link.close(reason);
                });
      }
    } catch (RuntimeException failure) {
      LOG.log(Level.ERROR, "session tick failed", failure);
    }
  }

  private void tell(Members members) {
    var message = new SessionMessage.Members(members.toMembers());
    open.forEach(link -> link.tell(message));
  }

  /** Who is refused there, or cannot be declared for long, hears why when it connects again. */
  private void declareAnew(BundleLink link, int tries) {
    link.declareAnew()
        .whenComplete(
            (done, failure) -> {
              if (failure == null) {
                return;
              }
              if (isRefused(failure) || tries == DECLARE_TRIES) {
                LOG.log(
                    Level.WARNING,
                    () -> "not declared anew cause=" + Printable.log(failure.toString()));
                link.part("what it declared is not in the store");
              } else {
                timer.schedule(
                    () -> declareAnew(link, tries + 1),
                    DECLARING.halfByChance(0).toMillis(),
                    TimeUnit.MILLISECONDS);
              }
            });
  }

  private static boolean isRefused(Throwable failure) {
    return Failures.cause(failure) instanceof EventoException refused
        && refused.code() == ErrorCode.DECLARATION_CONFLICT;
  }

  /** Asks all bundles to move to other nodes. */
  public void drain() {
    drain(session -> true);
  }

  /**
   * Asks bundles to move to other nodes, each once.
   *
   * @param isElsewhere whether the instance of a session has another node; others are not asked, as
   *     they would lose the only one that they have
   */
  public void drain(Predicate<BundleSession> isElsewhere) {
    open.forEach(link -> link.drain(isElsewhere));
  }

  /** Ends the sessions of those who were asked, as they take nothing new; they connect again. */
  public void undrain() {
    for (var link : open) {
      if (link.isToldToGo()) {
        link.part("this node is a full member again");
      }
    }
  }
}
