package io.evento.bundle.session;

import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** What carries the frames of one session: a WebSocket, or a link inside of the JVM. */
interface Carrier {

  /**
   * As {@link io.evento.protocol.FrameWriter.Port#send} says it.
   *
   * @throws RuntimeException as that may
   */
  CompletionStage<?> send(String frame);

  /** Ends it politely, and in any case within a second; nothing need be heard after. */
  void close();

  /** Ends it at once. */
  void abort();

  /** Who hears of a carrier, one call after the other. Never waits. */
  interface Listener {
    /** Comes first if there is a connection, and at most once. */
    void opened(Carrier carrier);

    /** Something came, be it a part of a frame. */
    void heard();

    void frame(String text);

    /** We are not let in, or no more: nothing but an operator changes that. */
    void refused(String why);

    /** It is over, or there never was a connection. */
    void ended(String why);
  }

  /** Makes carriers of one kind. */
  interface Dialler {
    /**
     * Begins to connect; the listener hears how it went.
     *
     * @param token that proves who we are, if there is one
     */
    void dial(Optional<String> token, Listener listener);
  }
}
