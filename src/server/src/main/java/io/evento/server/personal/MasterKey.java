package io.evento.server.personal;

/** What keys are wrapped by; kept where the database is not. Thread-safe. */
public interface MasterKey {
  /**
   * A key that is of no use without the master key.
   *
   * @param master names the master key that it was wrapped by
   */
  record Wrapped(String master, byte[] bytes) {}

  /**
   * @param place of the key, which is authenticated with it
   */
  Wrapped wrap(byte[] key, String place);

  /**
   * @throws io.evento.protocol.EventoException {@code unavailable} if that master key is not here
   * @throws IllegalStateException if it was not wrapped by it at that place
   */
  byte[] unwrap(Wrapped wrapped, String place);
}
