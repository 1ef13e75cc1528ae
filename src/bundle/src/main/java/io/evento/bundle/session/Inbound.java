package io.evento.bundle.session;

import io.evento.protocol.Message;

/** Who hears what comes in. Called on the threads of the link: must never wait. */
public interface Inbound {

  /** A request, an answer or word for a consumer; never one about the session itself. */
  void received(Session session, Message message);

  /** The session hosts what was declared and takes requests. */
  void usable(Session session);

  /** The session is gone; what waits for an answer on it will get none there. */
  void lost(Session session);
}
