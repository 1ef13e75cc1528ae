package io.evento.testkit;

import io.evento.bundle.personal.KeyRing;
import io.evento.bundle.personal.SubjectKeys;
import io.evento.bundle.personal.Subjects;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** A key for each subject, made when it is first asked for. For one thread, as fixtures are. */
final class KeysInMemory implements SubjectKeys {
  private static final int KEY_BYTES = 32;

  private final SecureRandom random = new SecureRandom();
  private final Map<String, byte[]> keys = new HashMap<>();
  private final Set<String> erased = new HashSet<>();
  private boolean isBefore;

  /**
   * @param id of the subject
   */
  void erase(String id) {
    erased.add(Subjects.hash(id));
  }

  /** Does something as it was done while nobody was erased yet. */
  <T> T beforeErasures(Supplier<T> work) {
    isBefore = true;
    try {
      return work.get();
    } finally {
      isBefore = false;
    }
  }

  @Override
  public KeyRing find(String subject, int version) {
    if (!isBefore && erased.contains(subject)) {
      return KeyRing.ERASED;
    }
    var key =
        keys.computeIfAbsent(
            subject,
            first -> {
              var made = new byte[KEY_BYTES];
              random.nextBytes(made);
              return made;
            });
    return KeyRing.of(Map.of(1, key));
  }
}
