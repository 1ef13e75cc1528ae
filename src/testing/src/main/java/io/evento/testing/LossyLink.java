package io.evento.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A TCP link that now and then breaks just before it would have brought an answer: what was asked
 * for is done, and nobody hears of it. It can also hang: then it accepts, and brings nothing.
 */
public final class LossyLink implements AutoCloseable {
  private final ServerSocket door;
  private final int target;
  private final Random random;
  private final AtomicInteger broken = new AtomicInteger();
  private final Deque<Integer> breaks = new ArrayDeque<>();
  private int passed;
  private volatile double loss;
  private boolean isFrozen;

  private LossyLink(ServerSocket door, int target, long seed) {
    this.door = door;
    this.target = target;
    this.random = new Random(seed);
  }

  /**
   * Opens a link to a port of this machine; it breaks nothing yet.
   *
   * @param seed of its choices
   */
  public static LossyLink to(int port, long seed) {
    try {
      var door = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
      var link = new LossyLink(door, port, seed);
      start(link::accept);
      return link;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  public int port() {
    return door.getLocalPort();
  }

  /** From now on breaks that part of all answers. */
  public void lose(double part) {
    loss = part;
  }

  /**
   * Breaks instead of letting pass what comes after so many requests and answers from now on; then
   * again after so many more, and so on.
   */
  public synchronized void breakAfter(Integer... counts) {
    passed = 0;
    breaks.clear();
    breaks.addAll(List.of(counts));
  }

  /** How many requests and answers passed since the last break, or since they were asked for. */
  public synchronized int passed() {
    return passed;
  }

  private synchronized boolean isBreakDue() {
    if (breaks.isEmpty() || breaks.element() > passed) {
      passed++;
      return false;
    }
    breaks.remove();
    passed = 0;
    return true;
  }

  /** From now on brings nothing, neither on old connections nor on new ones, which it accepts. */
  public synchronized void freeze() {
    isFrozen = true;
  }

  /** Brings what waited, and goes on. */
  public synchronized void thaw() {
    isFrozen = false;
    notifyAll();
  }

  private synchronized void awaitThaw() throws IOException {
    try {
      while (isFrozen) {
        wait();
      }
    } catch (InterruptedException asked) {
      throw new IOException(asked);
    }
  }

  /** How often it broke. */
  public int broken() {
    return broken.get();
  }

  private void accept() {
    while (!door.isClosed()) {
      try {
        var client = door.accept();
        var server = new Socket(InetAddress.getLoopbackAddress(), target);
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
        start(() -> ask(client, server));
        start(() -> answer(server, client));
      } catch (IOException closedOrRefused) {
        continue;
      }
    }
  }

  private void ask(Socket from, Socket to) {
    pump(from, to, false);
  }

  private void answer(Socket from, Socket to) {
    pump(from, to, true);
  }

  private void pump(Socket from, Socket to, boolean loses) {
    try (from;
        to;
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream()) {
      var buffer = new byte[64 << 10];
      for (var n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        if (isBreakDue() || (loses && isLost())) {
          broken.incrementAndGet();
          return;
        }
        awaitThaw();
        out.write(buffer, 0, n);
        out.flush();
      }
    } catch (IOException otherSideClosed) {
      return;
    }
  }

  private synchronized boolean isLost() {
    return random.nextDouble() < loss;
  }

  private static void start(Runnable body) {
    var thread = new Thread(body, "lossy-link");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() {
    thaw();
    try {
      door.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
