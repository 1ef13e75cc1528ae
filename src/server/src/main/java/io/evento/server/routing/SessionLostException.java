package io.evento.server.routing;

/** A session ended, or never was there: the message may or may not have been handled. */
public class SessionLostException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public SessionLostException(String why) {
    super(why, null, false, false);
  }
}
