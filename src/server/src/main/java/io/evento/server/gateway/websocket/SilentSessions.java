package io.evento.server.gateway.websocket;

import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.SessionMessage;
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
   * @return why it is to be closed; empty if it goes on
   */
  static Optional<String> look(BundleLink session, long now) {
    if (now - session.heardAt() > SILENCE_NANOS) {
      return Optional.of("silent for 3 s");
    }
    if (!session.isGreeted() && now - session.openedAt() > HELLO_NANOS) {
      return Optional.of("no hello within 5 s");
    }
    if (now - session.writer().lastFrameNanos() > PING_NANOS) {
      session.writer().send(new SessionMessage.Ping(), Lane.ANSWER);
    }
    return Optional.empty();
  }
}
