package io.evento.protocol;

import static io.evento.protocol.Checks.listOf;
import static io.evento.protocol.Checks.require;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Keys by which bundles encrypt and read what is personal in payloads, each of one subject. A
 * subject is named by a hash: the first 16 bytes of the SHA-256 of its id in UTF-8, in base64url
 * without padding.
 */
public sealed interface PersonalMessage extends Message {
  /** At most so many subjects in one message. */
  int SUBJECTS_MAX = 1_000;

  /**
   * The hash that names a subject. Whoever can guess the id can make it too, so an id should be
   * nothing that can be guessed.
   */
  static String hash(String id) {
    try {
      var digest = MessageDigest.getInstance("SHA-256").digest(id.getBytes(StandardCharsets.UTF_8));
      return Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(digest, 16));
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }

  /**
   * B→N: give the keys of these subjects; answered by {@link ReplyMessage.Result} with {@link
   * Given} as its payload, or by {@link ReplyMessage.Fault}.
   *
   * @param subjects 1 to 1,000 hashes
   * @param make whether a key is made for a subject that has none and was not erased, as something
   *     of it is to be written; then only keys to write by are answered
   * @param type of the payload that is to be written: the key is one of the context that has that
   *     type, or of the bundle's own where none has it. Null from bundles of before, and to read
   */
  record Keys(UUID id, List<String> subjects, boolean make, @Nullable String type)
      implements PersonalMessage {
    public Keys {
      require("/id", id);
      subjects = checked(subjects);
      if (type != null) {
        Names.checkType("/type", type);
      }
    }
  }

  /** N→B: these subjects were erased. Drop their keys, and all that was read by them. */
  record Erased(List<String> subjects) implements PersonalMessage {
    public Erased {
      subjects = checked(subjects);
    }
  }

  /**
   * What is known of the subjects that were asked for; of one that is in neither list there never
   * was a key.
   *
   * @param keys in any order; of one subject perhaps several
   * @param erased subjects that have no keys any more
   */
  record Given(List<SubjectKey> keys, List<String> erased) {
    public Given {
      keys = listOf(keys);
      erased = listOf(erased);
    }
  }

  /**
   * A key of a subject. Never to be logged, so its text does not have it.
   *
   * @param version 1 and up; the newest one is for writing
   * @param key 256 bits
   */
  record SubjectKey(String subject, int version, @JsonProperty("k") byte[] key) {
    @Override
    public String toString() {
      return "SubjectKey[subject=" + subject + ", version=" + version + "]";
    }
  }

  private static List<String> checked(List<String> subjects) {
    var given = listOf(subjects);
    if (given.isEmpty() || given.size() > SUBJECTS_MAX) {
      throw EventoException.invalid("/subjects", "must be 1 to " + SUBJECTS_MAX);
    }
    given.forEach(subject -> Names.checkSubject("/subjects", subject));
    return given;
  }
}
