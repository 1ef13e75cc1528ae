package io.evento.server.consumer.live;

import io.evento.protocol.QueryMessage;
import io.evento.server.consumer.lease.OwnedSegments.Held;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * One attempt of a subscription as a node is asked to watch it, and what it answers; both as the
 * text that travels between nodes.
 *
 * @param attempt identifies it, random
 * @param consumer whose handlers emit, such as {@code accounts:1}
 */
record QueryWatch(UUID attempt, String consumer, QueryMessage.Query query) {

  /**
   * What a node delivers of the consumer.
   *
   * @param signature changes with the segments and fences that it delivers
   */
  record Holding(long signature, List<Held> held) {
    String text() {
      var text = new StringBuilder(Long.toHexString(signature));
      for (var one : held) {
        text.append(' ')
            .append(one.segment())
            .append(':')
            .append(one.firstSlot())
            .append(':')
            .append(one.lastSlot())
            .append(':')
            .append(one.fence());
      }
      return text.toString();
    }

    static Holding of(String text) {
      var parts = text.split(" ", -1);
      var held = new ArrayList<Held>();
      for (var i = 1; i < parts.length; i++) {
        var one = parts[i].split(":", -1);
        held.add(
            new Held(
                Integer.parseInt(one[0]),
                Integer.parseInt(one[1]),
                Integer.parseInt(one[2]),
                Long.parseLong(one[3])));
      }
      return new Holding(Long.parseUnsignedLong(parts[0], 16), held);
    }

    /** FNV-1a over segments and fences. */
    static long signature(List<Held> held) {
      var hash = 0xcbf29ce484222325L;
      for (var one : held) {
        for (var value : new long[] {one.segment(), one.firstSlot(), one.lastSlot(), one.fence()}) {
          hash = (hash ^ value) * 0x100000001b3L;
        }
      }
      return hash;
    }
  }
}
