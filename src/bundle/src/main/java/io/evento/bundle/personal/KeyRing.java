package io.evento.bundle.personal;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The keys of one subject by version; perhaps none. Immutable. */
public final class KeyRing {
  /** Of a subject that was erased. */
  public static final KeyRing ERASED = new KeyRing(Map.of(), true);

  static final int FIRST = 1;

  private final TreeMap<Integer, byte[]> keys;
  private final boolean isErased;

  private KeyRing(Map<Integer, byte[]> keys, boolean isErased) {
    this.keys = new TreeMap<>(keys);
    this.isErased = isErased;
  }

  /**
   * @param keys of 256 bits
   */
  public static KeyRing of(Map<Integer, byte[]> keys) {
    return new KeyRing(keys, false);
  }

  public boolean isErased() {
    return isErased;
  }

  /** Whether there is none, for whatever reason. */
  public boolean isEmpty() {
    return keys.isEmpty();
  }

  /** The version of the key to write by. */
  int newest() {
    return keys.lastKey();
  }

  /** Whether it has the key of a version. */
  public boolean has(int version) {
    return keys.containsKey(version);
  }

  Optional<byte[]> key(int version) {
    return Optional.ofNullable(keys.get(version));
  }

  /** Says nothing of the keys themselves. */
  @Override
  public String toString() {
    return isErased ? "KeyRing[erased]" : "KeyRing" + keys.keySet();
  }
}
