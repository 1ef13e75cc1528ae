package io.evento.server.routing;

/**
 * A session ended, unasked, while it had the message and had not answered it. So the message may be
 * what ended it; {@code PoisonMessage} judges.
 */
public final class SessionEndedException extends SessionLostException {
  private static final long serialVersionUID = 1L;

  private final boolean alone;

  /**
   * @param alone whether the session had nothing else that could have ended it
   */
  public SessionEndedException(boolean alone) {
    super("the session ended with it");
    this.alone = alone;
  }

  public boolean wasAlone() {
    return alone;
  }
}
