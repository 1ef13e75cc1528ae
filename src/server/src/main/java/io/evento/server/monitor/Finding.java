package io.evento.server.monitor;

import java.util.Map;

/**
 * Something that is wrong now.
 *
 * @param subject what it is about: a consumer, a type, a node, a setting; empty for the cluster
 * @param cause a sentence for people, with the figures of now
 * @param details the same for programs; values are numbers, texts or lists of them
 */
record Finding(AlarmKind kind, String subject, String cause, Map<String, Object> details) {
  Finding {
    details = Map.copyOf(details);
  }

  /** What tells it from others. */
  record Key(String kind, String subject) {}

  Key key() {
    return new Key(kind.wire(), subject);
  }
}
