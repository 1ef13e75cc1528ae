package io.evento.server.personal;

import java.time.Instant;

/**
 * A subject that was erased.
 *
 * @param subject its hash
 * @param id as payloads name it
 * @param at RFC 3339
 * @param by who asked for it
 */
record Erasure(String subject, String id, String at, String by, String reason) {
  Instant instant() {
    return Instant.parse(at);
  }
}
