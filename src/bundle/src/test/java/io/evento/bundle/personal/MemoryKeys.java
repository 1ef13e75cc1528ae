package io.evento.bundle.personal;

import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Keys of subjects in memory, as a node would give them. */
public final class MemoryKeys implements SubjectKeys {
  private final SecureRandom random = new SecureRandom();
  private final Map<String, byte[]> keys = new HashMap<>();
  private final Set<String> erased = new HashSet<>();

  /**
   * @param id of the subject
   */
  public synchronized void erase(String id) {
    keys.remove(Subjects.hash(id));
    erased.add(Subjects.hash(id));
  }

  /** The key is gone, and nobody erased it. */
  public synchronized void lose(String id) {
    keys.remove(Subjects.hash(id));
  }

  @Override
  public synchronized KeyRing find(String subject, int version) {
    if (erased.contains(subject)) {
      return KeyRing.ERASED;
    }
    var key = keys.get(subject);
    return KeyRing.of(key == null ? Map.of() : Map.of(1, key));
  }

  @Override
  public synchronized KeyRing findOrMake(String subject, String type) {
    if (!erased.contains(subject)) {
      keys.computeIfAbsent(
          subject,
          first -> {
            var key = new byte[32];
            random.nextBytes(key);
            return key;
          });
    }
    return find(subject, 1);
  }
}
