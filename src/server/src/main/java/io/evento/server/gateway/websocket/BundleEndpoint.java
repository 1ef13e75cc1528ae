package io.evento.server.gateway.websocket;

import jakarta.inject.Inject;
import jakarta.websocket.CloseReason;
import jakarta.websocket.CloseReason.CloseCodes;
import jakarta.websocket.OnClose;
import jakarta.websocket.OnError;
import jakarta.websocket.OnMessage;
import jakarta.websocket.OnOpen;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerEndpoint;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.util.Objects;

/** Door for bundles. The container makes one of these for each session. */
@ServerEndpoint(value = "/bundle", subprotocols = "evento.v1")
public class BundleEndpoint {
  private static final Logger LOG = System.getLogger(BundleEndpoint.class.getName());

  /** Larger frames end the session with close code 1009. */
  static final int FRAME_CHARS_MAX = 4 << 20;

  private static final String LINK = "io.evento.link";

  @Inject private BundleLinks links;

  @OnOpen
  public void open(Session session) {
    session.setMaxTextMessageBufferSize(FRAME_CHARS_MAX);
    session.setMaxIdleTimeout(0);
    session.getUserProperties().put(LINK, links.open(session));
  }

  /**
   * In parts, as the container gets them: each one is a sign of life of a peer that has much to say
   * over a slow line.
   */
  @OnMessage
  public void receive(String part, boolean last, Session session) {
    if (!link(session).receive(part, last)) {
      links.refuse(link(session), CloseCodes.TOO_BIG, "a message is too long");
    }
  }

  /** Everything is said in text. */
  @OnMessage
  public void refuse(ByteBuffer part, boolean last, Session session) {
    links.refuse(link(session), CloseCodes.CANNOT_ACCEPT, "only text is read here");
  }

  @OnClose
  public void close(Session session, CloseReason reason) {
    links.closed(link(session), reason.getCloseCode() + " " + reason.getReasonPhrase());
  }

  @OnError
  public void failed(Session session, Throwable failure) {
    // The close follows; a peer that vanished is no event of its own.
    LOG.log(Level.DEBUG, "session failed", failure);
  }

  private static BundleLink link(Session session) {
    return (BundleLink) Objects.requireNonNull(session.getUserProperties().get(LINK));
  }
}
