package io.evento.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A TCP link to a port of this machine that can be held: nothing passes, nothing is refused and no
 * connection is closed, as where packets vanish. Safe for use by several threads.
 */
public final class HeldLink implements AutoCloseable {

  private static final int CHUNK_BYTES = 16 << 10;

  private final ServerSocket door;
  private final int target;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final Object gate = new Object();
  private boolean held;

  private HeldLink(ServerSocket door, int target) {
    this.door = door;
    this.target = target;
  }

  public static HeldLink to(int target, int listen) throws IOException {
    var link = new HeldLink(new ServerSocket(listen, 50, InetAddress.getLoopbackAddress()), target);
    begin(link::accept);
    return link;
  }

  /** Nothing passes from now on. */
  public void hold() {
    synchronized (gate) {
      held = true;
    }
  }

  /** Everything passes again, what was held back first. */
  public void release() {
    synchronized (gate) {
      held = false;
      gate.notifyAll();
    }
  }

  private void accept() {
    while (!door.isClosed()) {
      try {
        var client = door.accept();
        begin(() -> join(client));
      } catch (IOException closed) {
        continue;
      }
    }
  }

  private void join(Socket client) {
    try {
      awaitRelease();
      var server = new Socket(InetAddress.getLoopbackAddress(), target);
      begin(() -> pump(server, client));
      pump(client, server);
    } catch (IOException refused) {
      close(client);
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  private void pump(Socket from, Socket to) {
    open.add(from);
    try (from;
        to) {
      from.setTcpNoDelay(true);
      var buffer = new byte[CHUNK_BYTES];
      var in = from.getInputStream();
      var out = to.getOutputStream();
      for (var n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        awaitRelease();
        out.write(buffer, 0, n);
      }
      awaitRelease(); // an end is a packet too
    } catch (IOException otherSideClosed) {
      return;
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    } finally {
      open.remove(from);
    }
  }

  private void awaitRelease() throws InterruptedException {
    synchronized (gate) {
      while (held) {
        gate.wait();
      }
    }
  }

  private static void begin(Runnable body) {
    var thread = new Thread(body, "held link");
    thread.setDaemon(true);
    thread.start();
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @Override
  public void close() {
    try {
      door.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    release();
    open.forEach(HeldLink::close);
  }
}
