package io.evento.server.cluster;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Seals frames between nodes, so that whoever reaches the ports neither reads nor says anything.
 *
 * <p>A sealed frame is the version of the key (4 bytes), the incarnation of the sender (16), its
 * counter (8), then AES-256-GCM of the frame. What always holds:
 *
 * <ol>
 *   <li><b>A nonce is used once per key.</b> The AES key is derived from the table's key and the
 *       sender's incarnation, which is random for each process; the nonce is the sender's counter,
 *       which only rises.
 *   <li><b>A frame is heard once, by whom it was sealed for.</b> The receiver's address, drawn anew
 *       at each start, is authenticated with the frame; of each sender only a counter above the
 *       last one is taken. The transport keeps the order of a sender's frames, so nothing that was
 *       sent is refused.
 * </ol>
 *
 * <p>The derivation is HMAC-SHA256, as in the extract step of RFC 5869.
 */
final class FrameSeal {
  private static final int HEAD_BYTES = 4 + 16 + 8;
  private static final int TAG_BITS = 128;

  /** Senders that are remembered; a process of a cluster is met once per its start. */
  private static final int SENDERS_MAX = 10_000;

  private final UUID self;
  private final AtomicLong counter = new AtomicLong();
  private final Map<UUID, Long> lastHeard = new ConcurrentHashMap<>();
  private final Map<UUID, Keys> derived = new ConcurrentHashMap<>();
  private volatile NavigableMap<Integer, byte[]> keys = new TreeMap<>();

  /** Keys of one sender by version of the table's key that they come from. */
  private record Keys(Map<Integer, SecretKeySpec> byVersion) {}

  FrameSeal(UUID self) {
    this.self = self;
  }

  /** From now on frames are sealed under the newest of these, and opened under any. */
  void use(Map<Integer, byte[]> found) {
    keys = new TreeMap<>(found);
    derived.clear();
  }

  /** Whether a frame may be readable once the keys were read again. */
  boolean isOfUnknownKey(byte[] sealed) {
    return sealed.length > HEAD_BYTES && !keys.containsKey(ByteBuffer.wrap(sealed).getInt());
  }

  /**
   * @param receiver address of the node that the frame is for
   * @throws IllegalStateException if there is no key
   */
  byte[] seal(byte[] frame, String receiver) {
    var newest = keys.lastEntry();
    if (newest == null) {
      throw new IllegalStateException("there is no key for links");
    }
    var head =
        ByteBuffer.allocate(HEAD_BYTES)
            .putInt(newest.getKey())
            .putLong(self.getMostSignificantBits())
            .putLong(self.getLeastSignificantBits())
            .putLong(counter.incrementAndGet())
            .array();
    try {
      var cipher = cipher(Cipher.ENCRYPT_MODE, self, head, receiver);
      var sealed = new byte[HEAD_BYTES + cipher.getOutputSize(frame.length)];
      System.arraycopy(head, 0, sealed, 0, HEAD_BYTES);
      cipher.doFinal(frame, 0, frame.length, sealed, HEAD_BYTES);
      return sealed;
    } catch (GeneralSecurityException broken) {
      throw new IllegalStateException("the JDK has no AES-GCM", broken);
    }
  }

  /**
   * @param receiver this node's own address
   * @return empty if nobody who knows the key sealed it for this node, or if it was heard before
   */
  Optional<byte[]> open(byte[] sealed, String receiver) {
    if (sealed.length < HEAD_BYTES + TAG_BITS / 8) {
      return Optional.empty();
    }
    var head = ByteBuffer.wrap(sealed, 0, HEAD_BYTES);
    if (!keys.containsKey(head.getInt())) {
      return Optional.empty();
    }
    var sender = new UUID(head.getLong(), head.getLong());
    var count = head.getLong();
    byte[] frame;
    try {
      frame =
          cipher(Cipher.DECRYPT_MODE, sender, sealed, receiver)
              .doFinal(sealed, HEAD_BYTES, sealed.length - HEAD_BYTES);
    } catch (AEADBadTagException forged) {
      return Optional.empty();
    } catch (GeneralSecurityException broken) {
      throw new IllegalStateException("the JDK has no AES-GCM", broken);
    }
    return isNew(sender, count) ? Optional.of(frame) : Optional.empty();
  }

  /** Only of who knows the key, so a stranger cannot fill the memory. */
  private boolean isNew(UUID sender, long count) {
    if (lastHeard.size() >= SENDERS_MAX && !lastHeard.containsKey(sender)) {
      return false;
    }
    var isNew = new boolean[1];
    lastHeard.compute(
        sender,
        (same, last) -> {
          isNew[0] = last == null || count > last;
          return isNew[0] ? count : last;
        });
    return isNew[0];
  }

  private Cipher cipher(int mode, UUID sender, byte[] head, String receiver)
      throws GeneralSecurityException {
    var version = ByteBuffer.wrap(head).getInt();
    var nonce = ByteBuffer.allocate(12).putInt(0).putLong(ByteBuffer.wrap(head).getLong(20));
    var cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, key(version, sender), new GCMParameterSpec(TAG_BITS, nonce.array()));
    cipher.updateAAD(head, 0, HEAD_BYTES);
    cipher.updateAAD(receiver.getBytes(StandardCharsets.UTF_8));
    return cipher;
  }

  private SecretKeySpec key(int version, UUID sender) throws GeneralSecurityException {
    if (derived.size() > SENDERS_MAX) {
      derived.clear(); // strangers made up senders
    }
    var known =
        derived.computeIfAbsent(sender, first -> new Keys(new ConcurrentHashMap<>())).byVersion();
    var key = known.get(version);
    if (key == null) {
      var base = keys.get(version);
      if (base == null) {
        throw new AEADBadTagException("the key was taken away just now");
      }
      var mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(base, "HmacSHA256"));
      mac.update("evento link ".getBytes(StandardCharsets.UTF_8));
      key = new SecretKeySpec(mac.doFinal(bytes(sender)), "AES");
      known.put(version, key);
    }
    return key;
  }

  private static byte[] bytes(UUID id) {
    return ByteBuffer.allocate(16)
        .putLong(id.getMostSignificantBits())
        .putLong(id.getLeastSignificantBits())
        .array();
  }
}
