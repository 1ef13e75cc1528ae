package io.evento.bundle.gateway;

/** A query that is being listened to, until it is closed. */
public interface QuerySubscription extends AutoCloseable {
  /** Whether more may come. */
  boolean isOpen();

  /** Nothing more is told; what is being told just now ends. */
  @Override
  void close();
}
