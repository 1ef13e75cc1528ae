package io.evento.bundle.gateway;

import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ids of commands: UUID version 7 (RFC 9562). They begin with the time, so that neighbours in time
 * are neighbours in the database's index.
 */
final class CommandIds {
  private CommandIds() {}

  static UUID next() {
    var random = ThreadLocalRandom.current();
    var time = System.currentTimeMillis() << 16 | 0x7000L | random.nextInt(1 << 12);
    return new UUID(time, random.nextLong() >>> 2 | Long.MIN_VALUE);
  }
}
