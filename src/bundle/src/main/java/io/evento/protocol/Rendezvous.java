package io.evento.protocol;

import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Highest-random-weight hashing (Thaler and Ravishankar, 1998): everybody who knows the same
 * members chooses the same one for a key, and when a member leaves only its own keys move. Always a
 * hint that keeps conflicts rare and caches warm; correctness never rests on it.
 */
public final class Rendezvous {
  private Rendezvous() {}

  /** The member for a key, empty if there are none. */
  public static Optional<String> choose(String key, Collection<String> members) {
    return members.stream().max(byWeight(key));
  }

  /** All members, the first choice first. */
  public static List<String> rank(String key, Collection<String> members) {
    return members.stream().sorted(byWeight(key).reversed()).toList();
  }

  private static Comparator<String> byWeight(String key) {
    var hash = hash(key, OFFSET);
    return Comparator.<String>comparingLong(member -> weight(hash, member) ^ Long.MIN_VALUE)
        .thenComparing(Comparator.naturalOrder());
  }

  private static final long OFFSET = 0xcbf29ce484222325L;
  private static final long PRIME = 0x100000001b3L;

  /** FNV-1a over the bytes of key, a zero byte and member; then Murmur3's 64-bit finalizer. */
  static long weight(long keyHash, String member) {
    var h = hash(member, keyHash * PRIME);
    h = (h ^ (h >>> 33)) * 0xff51afd7ed558ccdL;
    h = (h ^ (h >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return h ^ (h >>> 33);
  }

  private static long hash(String text, long from) {
    var h = from;
    for (var b : text.getBytes(StandardCharsets.UTF_8)) {
      h = (h ^ (b & 0xff)) * PRIME;
    }
    return h;
  }
}
