package io.evento.bundle.personal;

import java.util.Collection;

/** Where the keys of subjects come from: a node, or the memory of a test. Thread-safe. */
public interface SubjectKeys {
  /** Of whoever reads and writes nothing personal. */
  SubjectKeys NONE =
      (subject, version) -> {
        throw new IllegalStateException(
            "there are no keys here to read or write personal data by; a running bundle has them");
      };

  /**
   * The keys of a subject that may be had here, empty if it never had one.
   *
   * @param subject its hash, as {@link Subjects#hash} makes it
   * @param version of the key that is needed; it may be missing all the same
   * @throws io.evento.protocol.EventoException {@code unavailable} if no node could say it in time
   */
  KeyRing find(String subject, int version);

  /**
   * The keys of a subject of which the newest one is to write by, made if there is none; still
   * empty only if it was erased.
   *
   * @param type of the payload that is to be written: subjects have a key for each context
   * @throws io.evento.protocol.EventoException as {@link #find}
   */
  default KeyRing findOrMake(String subject, String type) {
    return find(subject, KeyRing.FIRST);
  }

  /** The keys of these are wanted soon: one question for all instead of one for each. */
  default void prepare(Collection<String> subjects) {}
}
