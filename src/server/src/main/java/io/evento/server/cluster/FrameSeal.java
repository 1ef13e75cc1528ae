package io.evento.server.cluster;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
 *   <li><b>A frame is heard once, by whom it was sealed for, as from whom it came.</b> The
 *       addresses of both, drawn anew at each start, are authenticated with the frame; of each
 *       sender only a counter above the last one is taken. The transport keeps the order of a
 *       sender's frames.
 *   <li><b>A new key loses no frame between nodes that run.</b> Nobody seals under a key before all
 *       have had the time to read it. Who was frozen all that time refuses frames, reads the table
 *       again and greets its peers anew, whose windows start over. A key that was taken out of the
 *       table opens nothing once the table is read again.
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
  private volatile InUse inUse = new InUse(Map.of(), 0);

  /**
   * A key of the table.
   *
   * @param bytes 32 of them
   * @param isRipe whether every node has had the time to read it
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Key(int version, byte[] bytes, boolean isRipe) {}

  /**
   * @param sealing version that frames are sealed under; 0 if there is none
   */
  private record InUse(Map<Integer, byte[]> keys, int sealing) {}

  /** Keys of one sender by version of the table's key that they come from. */
  private record Keys(Map<Integer, SecretKeySpec> byVersion) {}

  FrameSeal(UUID self) {
    this.self = self;
  }

  /**
   * From now on frames are opened under any of these and no other, and sealed under the newest that
   * is ripe; if none is, under the oldest.
   *
   * @return whether these are others than before
   */
  boolean use(List<Key> found) {
    var keys = new HashMap<Integer, byte[]>();
    var oldest = 0;
    var ripe = 0;
    for (var key : found) {
      keys.put(key.version(), key.bytes());
      oldest = oldest == 0 ? key.version() : Math.min(oldest, key.version());
      ripe = key.isRipe() ? Math.max(ripe, key.version()) : ripe;
    }
    var before = inUse;
    inUse = new InUse(keys, ripe == 0 ? oldest : ripe);
    if (before.keys().keySet().equals(keys.keySet())) {
      return false;
    }
    derived.clear();
    return true;
  }

  /** Whether a frame may be readable once the keys were read again. */
  boolean isOfUnknownKey(byte[] sealed) {
    return sealed.length > HEAD_BYTES
        && !inUse.keys().containsKey(ByteBuffer.wrap(sealed).getInt());
  }

  /**
   * @param way addresses of the node that sends and of the one that the frame is for
   * @throws IllegalStateException if there is no key
   */
  byte[] seal(byte[] frame, String way) {
    var sealing = inUse.sealing();
    if (sealing == 0) {
      throw new IllegalStateException("there is no key for links");
    }
    var head =
        ByteBuffer.allocate(HEAD_BYTES)
            .putInt(sealing)
            .putLong(self.getMostSignificantBits())
            .putLong(self.getLeastSignificantBits())
            .putLong(counter.incrementAndGet())
            .array();
    try {
      var cipher = cipher(Cipher.ENCRYPT_MODE, self, head, way);
      var sealed = new byte[HEAD_BYTES + cipher.getOutputSize(frame.length)];
      System.arraycopy(head, 0, sealed, 0, HEAD_BYTES);
      cipher.doFinal(frame, 0, frame.length, sealed, HEAD_BYTES);
      return sealed;
    } catch (GeneralSecurityException broken) {
      throw new IllegalStateException("the JDK has no AES-GCM", broken);
    }
  }

  /**
   * @param way address of the node that it came from, and this node's own
   * @return empty if nobody who knows the key sealed it for this node, or if it was heard before
   */
  Optional<byte[]> open(byte[] sealed, String way) {
    if (sealed.length < HEAD_BYTES + TAG_BITS / 8) {
      return Optional.empty();
    }
    var head = ByteBuffer.wrap(sealed, 0, HEAD_BYTES);
    if (!inUse.keys().containsKey(head.getInt())) {
      return Optional.empty();
    }
    var sender = new UUID(head.getLong(), head.getLong());
    var count = head.getLong();
    byte[] frame;
    try {
      frame =
          cipher(Cipher.DECRYPT_MODE, sender, sealed, way)
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

  private Cipher cipher(int mode, UUID sender, byte[] head, String way)
      throws GeneralSecurityException {
    var version = ByteBuffer.wrap(head).getInt();
    var nonce = ByteBuffer.allocate(12).putInt(0).putLong(ByteBuffer.wrap(head).getLong(20));
    var cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, key(version, sender), new GCMParameterSpec(TAG_BITS, nonce.array()));
    cipher.updateAAD(head, 0, HEAD_BYTES);
    cipher.updateAAD(way.getBytes(StandardCharsets.UTF_8));
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
      var base = inUse.keys().get(version);
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
