package io.evento.bundle.dispatch;

/** What a bundle can give to handlers that keep something. */
public enum Store {
  /** No database. */
  NONE,
  /** A connection, to whoever takes one. */
  CONNECTIONS,
  /** A transaction of the container around every handler of an event. */
  TRANSACTIONS
}
