package io.evento.testkit;

import io.evento.bundle.payload.PayloadType;
import io.evento.protocol.Json;

/**
 * A payload as it stands in a store; given instead of a record. As an event of an older version of
 * its shape it passes through the upcasters. The console writes tests of what an aggregate went
 * through with it: {@code new Stored("MoneyDeposited", 1, "{\"amount\":5}")}.
 *
 * @param type name on the wire of the event or command
 * @param version of the payload's shape, 1 and up
 * @param json the payload as it was written, a JSON object
 */
public record Stored(String type, int version, String json) {
  /**
   * @param type present record of the event
   */
  public Stored(Class<? extends Record> type, int version, String json) {
    this(PayloadType.nameOf(type), version, json);
  }

  Payloads.Named named() {
    return new Payloads.Named(type, version, new Json(json));
  }

  /**
   * The record that it is read as.
   *
   * @throws AssertionError if the component under test has nothing to do with its type
   */
  Object read(Payloads payloads) {
    return payloads.known(type).read(new Json(json), version);
  }
}
