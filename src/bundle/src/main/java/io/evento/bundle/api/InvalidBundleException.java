package io.evento.bundle.api;

/** A bundle cannot start as it is; the message says what to change. */
public class InvalidBundleException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public InvalidBundleException(String whatToDo) {
    super(whatToDo);
  }

  public InvalidBundleException(String whatToDo, Throwable cause) {
    super(whatToDo, cause);
  }
}
