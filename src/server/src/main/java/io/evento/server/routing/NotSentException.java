package io.evento.server.routing;

/** A session that is none any more, or takes nothing: the message was surely not handled. */
public final class NotSentException extends SessionLostException {
  private static final long serialVersionUID = 1L;

  public NotSentException(String why) {
    super(why);
  }
}
