package io.evento.bundle.personal;

import com.fasterxml.jackson.core.JsonToken;
import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * An encrypted value as it stands in a payload: {@code {"$p":1,"s":"…","k":3,"v":"…"}}, with the
 * hash of its subject, the version of the key, and nonce and AES-256-GCM text in base64.
 *
 * <p>The nonce is made of the value: HMAC-SHA256 of value and place, under a key of its own that is
 * derived from the subject's. So the same value at the same place gives the same text, which
 * repeats of commands and comparisons of consumers need, and two values never meet under one nonce,
 * but for a chance of 2⁻⁹⁶ for each pair. What that tells a reader without the key: that a person's
 * value is one that he had before at that place.
 *
 * <p>What is authenticated beside it is the type of the payload, the place in it, the subject and
 * the key's version: a value can be moved to no other place and person. Not the stream and not the
 * command's id, as whoever reads does not always know them: the history of a boundary is told
 * without its streams, a command in an outbox has neither when it is written, and an event of a
 * history comes without its command. Whoever reads compares the subject with the one that the
 * payload names instead, so a value that was moved to another stream is still shown as that
 * person's.
 *
 * @param key version of the key; {@link #ERASED} where the subject was erased when it was written
 */
record SealedValue(String subject, int key, String text) {
  static final String MARK = "$p";
  static final String SUBJECT = "s";

  /** In the place of a key's version: what was written is the placeholder of an erased subject. */
  static final int ERASED = 0;

  private static final String KEY = "k";
  private static final String VALUE = "v";
  private static final int FORM = 1;
  private static final int FIELDS = 4;
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;

  /** Where a value stands, in the words that are authenticated. */
  record Place(String type, String pointer) {
    byte[] with(String subject, int key) {
      return (FORM
              + " "
              + type.length()
              + " "
              + type
              + " "
              + pointer.length()
              + " "
              + pointer
              + " "
              + subject
              + " "
              + key)
          .getBytes(StandardCharsets.UTF_8);
    }
  }

  static SealedValue erased(String subject) {
    return new SealedValue(subject, ERASED, "");
  }

  /**
   * @param json the value
   */
  static SealedValue seal(Place place, String subject, KeyRing keys, String json) {
    var version = keys.newest();
    var key = keys.key(version).orElseThrow();
    var plain = json.getBytes(StandardCharsets.UTF_8);
    var beside = place.with(subject, version);
    try {
      var nonce = nonce(key, beside, plain);
      var hidden = cipher(Cipher.ENCRYPT_MODE, key, nonce, beside).doFinal(plain);
      var both = Arrays.copyOf(nonce, NONCE_BYTES + hidden.length);
      System.arraycopy(hidden, 0, both, NONCE_BYTES, hidden.length);
      return new SealedValue(subject, version, Base64.getEncoder().encodeToString(both));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK has AES/GCM and HmacSHA256", impossible);
    }
  }

  /**
   * The value as JSON.
   *
   * @throws IllegalStateException if it was not written at this place by this key
   */
  String open(Place place, byte[] secret) {
    try {
      var both = Base64.getDecoder().decode(text);
      if (both.length < NONCE_BYTES) {
        throw new AEADBadTagException("too short");
      }
      var nonce = Arrays.copyOf(both, NONCE_BYTES);
      var plain =
          cipher(Cipher.DECRYPT_MODE, secret, nonce, place.with(subject, key))
              .doFinal(both, NONCE_BYTES, both.length - NONCE_BYTES);
      return new String(plain, StandardCharsets.UTF_8);
    } catch (AEADBadTagException | IllegalArgumentException forged) {
      throw new IllegalStateException(
          "what stands at "
              + place.pointer
              + " of a "
              + place.type
              + " was not written there by key "
              + key
              + " of the subject "
              + subject,
          forged);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK has AES/GCM", impossible);
    }
  }

  private static byte[] nonce(byte[] key, byte[] beside, byte[] plain)
      throws GeneralSecurityException {
    var ofNonces = mac(key).doFinal("evento nonce".getBytes(StandardCharsets.UTF_8));
    var mac = mac(ofNonces);
    mac.update(beside);
    mac.update((byte) 0);
    mac.update(plain);
    return Arrays.copyOf(mac.doFinal(), NONCE_BYTES);
  }

  private static Mac mac(byte[] key) throws GeneralSecurityException {
    var mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac;
  }

  private static Cipher cipher(int mode, byte[] key, byte[] nonce, byte[] beside)
      throws GeneralSecurityException {
    var cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(TAG_BITS, nonce));
    cipher.updateAAD(beside);
    return cipher;
  }

  String json() {
    return "{\"" + MARK + "\":" + FORM + ",\"" + SUBJECT + "\":\"" + subject + "\",\"" + KEY + "\":"
        + key + ",\"" + VALUE + "\":\"" + text + "\"}";
  }

  /** Reads what {@link #json} wrote, its fields in any order; empty if it is anything else. */
  static Optional<SealedValue> read(String json) {
    String subject = null;
    String text = null;
    var key = -1;
    var form = -1;
    var fields = 0;
    try (var parser = Codec.parser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        return Optional.empty();
      }
      for (var name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
        var value = parser.nextToken();
        fields++;
        if (name.equals(MARK) && value == JsonToken.VALUE_NUMBER_INT) {
          form = parser.getIntValue();
        } else if (name.equals(KEY) && value == JsonToken.VALUE_NUMBER_INT) {
          key = parser.getIntValue();
        } else if (name.equals(SUBJECT) && value == JsonToken.VALUE_STRING) {
          subject = Names.checkSubject("", parser.getText());
        } else if (name.equals(VALUE) && value == JsonToken.VALUE_STRING) {
          text = parser.getText();
        } else {
          return Optional.empty();
        }
      }
    } catch (IOException | EventoException otherwise) {
      return Optional.empty();
    }
    return fields == FIELDS && form == FORM && key >= 0 && subject != null && text != null
        ? Optional.of(new SealedValue(subject, key, text))
        : Optional.empty();
  }
}
