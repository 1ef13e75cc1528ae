package io.evento.server.gateway.websocket;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.SessionMessage;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Members;
import io.evento.server.cluster.Membership;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.routing.Failures;
import io.evento.server.setting.Setting;
import jakarta.inject.Inject;
import jakarta.websocket.CloseReason;
import jakarta.websocket.CloseReason.CloseCodes;
import jakarta.websocket.Session;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** The open sessions as the gateway sees them: keeps each of them talking, or closes it. */
@NodeScoped
public class BundleLinks {
  private static final Logger LOG = System.getLogger(BundleLinks.class.getName());
  private static final long TICK_MILLIS = 250;
  private static final long PING_NANOS = TimeUnit.MILLISECONDS.toNanos(750);
  private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final int DECLARE_TRIES = 60;
  private static final long DECLARE_MILLIS = 500;
  private static final long HELLO_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final BundleServices door;
  private final TyrusIdleTimerFix remedy;
  private final ExecutorService closers;
  private final ScheduledExecutorService timer;
  private final Set<BundleLink> open = ConcurrentHashMap.newKeySet();

  @Inject
  public BundleLinks(
      BundleServices door,
      TyrusIdleTimerFix remedy,
      Membership membership,
      Follower follower,
      Threads threads) {
    this.door = door;
    this.remedy = remedy;
    // Closing may wait for a peer that does not read: never on a thread that others need.
    closers = threads.pool("ws-close", 4, 10_000);
    threads
        .timer()
        .scheduleWithFixedDelay(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
    membership.onChange(this::tell);
    timer = threads.timer();
    follower.onNewEpoch(epoch -> open.forEach(link -> declareAnew(link, 1)));
  }

  BundleLink open(Session session) {
    remedy.apply(session);
    var link =
        new BundleLink(
            door,
            session.getId(),
            session.getAsyncRemote(),
            reason -> close(session, CloseCodes.TRY_AGAIN_LATER, reason));
    if (isFull()) {
      link.closed("full");
      link.close("this node has too many sessions; try another");
    } else {
      open.add(link);
    }
    return link;
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
  void refuse(BundleLink link, Session session, CloseCodes code, String reason) {
    closed(link, reason);
    close(session, code, reason);
  }

  void closed(BundleLink link, String reason) {
    if (open.remove(link)) {
      link.closed(reason);
    }
  }

  private void close(Session session, CloseCodes code, String reason) {
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
      for (var link : open) {
        if (now - link.heardAt() > SILENCE_NANOS) {
          // Its requests are asked elsewhere at once, however long the close takes.
          closed(link, "silent");
          link.close("silent for 3 s");
        } else if (!link.isGreeted() && now - link.openedAt() > HELLO_NANOS) {
          closed(link, "no hello");
          link.close("no hello within 5 s");
        } else if (now - link.writer().lastFrameNanos() > PING_NANOS) {
          link.writer().send(new SessionMessage.Ping(), Lane.ANSWER);
        }
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
                LOG.log(Level.WARNING, () -> "not declared anew cause=" + failure);
                link.part("what it declared is not in the store");
              } else {
                var pause =
                    DECLARE_MILLIS / 2 + ThreadLocalRandom.current().nextLong(DECLARE_MILLIS);
                timer.schedule(() -> declareAnew(link, tries + 1), pause, TimeUnit.MILLISECONDS);
              }
            });
  }

  private static boolean isRefused(Throwable failure) {
    return Failures.cause(failure) instanceof EventoException refused
        && refused.code() == ErrorCode.DECLARATION_CONFLICT;
  }

  /** Asks all bundles to move to other nodes. */
  public void drain() {
    open.forEach(link -> link.tell(new SessionMessage.Drain()));
  }
}
