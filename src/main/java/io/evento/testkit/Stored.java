package io.evento.testkit;

import io.evento.protocol.Json;

/**
 * An event as an older release of the bundle stored it; given instead of a record, it passes
 * through the upcasters.
 *
 * @param type present record of the event
 * @param version of the payload's shape, 1 and up
 * @param json the payload as it was written, a JSON object
 */
public record Stored(Class<? extends Record> type, int version, String json) {

  Payloads.Named named(Payloads payloads) {
    return new Payloads.Named(payloads.mapper().typeOf(type).name(), version, new Json(json));
  }
}
