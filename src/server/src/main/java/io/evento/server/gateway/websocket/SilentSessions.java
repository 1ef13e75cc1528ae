package io.evento.server.gateway.websocket;

import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.SessionMessage;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** When a session that says nothing is given up, and when the node has to say something itself. */
final class SilentSessions {
  private static final long PING_NANOS = TimeUnit.MILLISECONDS.toNanos(750);
  private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final long HELLO_NANOS = TimeUnit.SECONDS.toNanos(5);

  private SilentSessions() {}

  /**
   * Looks at one session; one that goes on hears a ping if the node has said nothing for a while.
   *
   * @param now by {@code System.nanoTime()}
   * @param patience how much longer than usual the peer may be silent, in nanoseconds
   * @return why it is to be closed; empty if it goes on
   */
  static Optional<String> look(BundleLink session, long now, long patience) {
    var reason =
        reason(now - session.heardAt(), now - session.openedAt(), session.isGreeted(), patience);
    if (reason.isPresent()) {
      return reason;
    }
    if (now - session.writer().lastFrameNanos() > PING_NANOS) {
      session.writer().send(new SessionMessage.Ping(), Lane.ANSWER);
    }
    return Optional.empty();
  }

  /** Why a session is to be closed that was silent for so long. */
  static Optional<String> reason(long silence, long age, boolean isGreeted, long patience) {
    if (silence > SILENCE_NANOS + patience) {
      return Optional.of("silent for " + seconds(SILENCE_NANOS + patience));
    }
    return !isGreeted && age > HELLO_NANOS
        ? Optional.of("no hello within " + seconds(HELLO_NANOS))
        : Optional.empty();
  }

  private static String seconds(long nanos) {
    return String.format(Locale.ROOT, "%.1f s", nanos / 1e9);
  }
}
