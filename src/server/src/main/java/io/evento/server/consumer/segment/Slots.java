package io.evento.server.consumer.segment;

import io.evento.protocol.RecordedEvent;

/**
 * The 128 classes into which a consumer's sequence key is hashed. A projector's key is the stream,
 * so all events of a stream are in one slot, and a slot is in one segment; a saga's is its
 * association's value.
 *
 * <p>The function is part of the stored data: were it changed, a stream would move to a segment
 * whose checkpoint knows nothing of it. It is the top seven bits of Murmur3's 32-bit finalizer over
 * {@link String#hashCode} (which Java specifies) of {@code type:id}, or of the saga's key. Only the
 * server computes it.
 */
public final class Slots {
  public static final int COUNT = 128;

  private static final int BITS = 7;

  private Slots() {}

  /** The key of a stream, as rows and messages show it. */
  public static String key(RecordedEvent.Stream stream) {
    return stream.type() + ':' + stream.id();
  }

  /** The slot of an event's stream, 0 to 127. */
  public static int of(RecordedEvent.Stream stream) {
    var hash = stream.type().hashCode() * 31 + ':';
    var id = stream.id();
    for (var i = 0; i < id.length(); i++) {
      hash = 31 * hash + id.charAt(i);
    }
    return slot(hash);
  }

  /** The slot of a saga's key, 0 to 127. */
  public static int of(String key) {
    return slot(key.hashCode());
  }

  private static int slot(int of) {
    var hash = (of ^ (of >>> 16)) * 0x85ebca6b;
    hash = (hash ^ (hash >>> 13)) * 0xc2b2ae35;
    return (hash ^ (hash >>> 16)) >>> (Integer.SIZE - BITS);
  }
}
