package io.evento.server.cluster;

import io.evento.protocol.FrameQueue;
import io.evento.protocol.FrameQueue.Lane;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jgroups.Address;
import org.jspecify.annotations.Nullable;

/**
 * One link, as seen from this side.
 *
 * <p>At most {@link #WINDOW_BYTES} are sent before the peer said that it received them. That is
 * less than the buffers of a socket hold, so a frozen peer never blocks a thread inside the
 * transport, where it would stop heartbeats to everybody.
 */
final class Peer {
  private static final Logger LOG = System.getLogger(Peer.class.getName());
  private static final long WINDOW_BYTES = 256 << 10;
  private static final int ACKNOWLEDGE_EVERY = 64 << 10;

  /** Hands one frame to the transport. */
  interface Transport {
    void transmit(byte[] frame) throws Exception;
  }

  private final Address address;
  private final Transport transport;
  private final FrameQueue queue = new FrameQueue(100_000, 64 << 20);
  private @Nullable String name;
  private long heardAt = System.nanoTime();
  private boolean wasAlive;
  private long received;
  private long sent;
  private long acknowledged;
  private boolean closed;
  private boolean wasRefused;
  private long helloAt = System.nanoTime();

  Peer(Address address, Transport transport) {
    this.address = address;
    this.transport = transport;
  }

  Address address() {
    return address;
  }

  /** True once, so that a log has one line of a stranger. */
  synchronized boolean isFirstRefusal() {
    var isFirst = !wasRefused;
    wasRefused = true;
    return isFirst;
  }

  /** Once a second until it is known who this is: the last greeting may not have been readable. */
  synchronized boolean isHelloDue() {
    var now = System.nanoTime();
    if (name != null || closed || now - helloAt < TimeUnit.SECONDS.toNanos(1)) {
      return false;
    }
    helloAt = now;
    return true;
  }

  /** Empty text until the peer introduced itself. */
  synchronized String name() {
    return name == null ? "" : name;
  }

  /**
   * The peer introduced itself. It does so anew whenever it met us anew, and then knows nothing of
   * what was in flight before: the window starts over.
   */
  synchronized void named(String said) {
    name = said;
    wasAlive = true;
    acknowledged = sent;
    notifyAll();
  }

  synchronized long silentNanos() {
    return System.nanoTime() - heardAt;
  }

  synchronized boolean isAlive() {
    return name != null && !closed && System.nanoTime() - heardAt < Links.SILENCE_NANOS;
  }

  /** True once, at the first look after the link fell silent. */
  synchronized boolean fellSilent() {
    var alive = isAlive();
    var fell = wasAlive && !alive;
    wasAlive = alive;
    return fell;
  }

  synchronized void heard(int bytes) {
    heardAt = System.nanoTime();
    received += bytes;
    if (received >= ACKNOWLEDGE_EVERY) {
      ping();
    }
  }

  synchronized void ping() {
    offer("P" + received, Lane.ANSWER);
    received = 0;
  }

  synchronized void acknowledged(long bytes) {
    acknowledged = Math.min(sent, acknowledged + bytes);
    notifyAll();
  }

  synchronized boolean offer(String line, Lane lane) {
    if (closed || !queue.offer(line, lane)) {
      return false;
    }
    notifyAll();
    return true;
  }

  synchronized void close() {
    closed = true;
    queue.clear();
    notifyAll();
  }

  /** The writer's loop, until the link is closed. */
  void write() {
    try {
      for (var frame = next(); frame != null; frame = next()) {
        transport.transmit(frame);
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    } catch (Exception failure) {
      LOG.log(Level.WARNING, "link closed peer=" + name() + " address=" + address, failure);
      close();
    }
  }

  private synchronized byte @Nullable [] next() throws InterruptedException {
    while (!closed && (queue.isEmpty() || sent - acknowledged >= WINDOW_BYTES)) {
      wait(TimeUnit.SECONDS.toMillis(1));
    }
    var frame = closed ? null : queue.poll();
    if (frame == null) {
      return null;
    }
    var bytes = frame.getBytes(StandardCharsets.UTF_8);
    sent += bytes.length;
    return bytes;
  }
}
