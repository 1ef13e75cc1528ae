package io.evento.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A TCP link to ports of this machine that can fail in the ways of a network: nothing passes, in
 * both directions or in one, as where packets vanish; everything passes late; connections are
 * reset; or they break just before they would have brought an answer. Safe for use by several
 * threads.
 */
public final class HeldLink implements AutoCloseable {

  private static final int CHUNK_BYTES = 16 << 10;

  private enum Direction {
    REQUEST,
    ANSWER
  }

  /** Where the link is entered, and where it leads from there. */
  private record Door(ServerSocket socket, int target, AtomicLong passed) {}

  private final List<Door> doors = new CopyOnWriteArrayList<>();
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final Object gate = new Object();
  private Set<Direction> held = Set.of();
  private Duration late = Duration.ZERO;
  private double lost;
  private Random random = new Random(0);

  private HeldLink() {}

  public static HeldLink to(int target, int listen) throws IOException {
    var link = new HeldLink();
    link.alsoTo(target, listen);
    return link;
  }

  /** Leads to another port too, by a port of its own; what fails, fails for both. */
  public void alsoTo(int target, int listen) throws IOException {
    var socket = new ServerSocket(listen, 50, InetAddress.getLoopbackAddress());
    var door = new Door(socket, target, new AtomicLong());
    doors.add(door);
    begin(() -> accept(door));
  }

  /** Nothing passes from now on, nothing is refused, and no connection is closed. */
  public void hold() {
    hold(Set.of(Direction.REQUEST, Direction.ANSWER));
  }

  /** What was asked for is still done, and nobody hears of it. */
  public void holdAnswers() {
    hold(Set.of(Direction.ANSWER));
  }

  /** Nothing is asked for any more; answers still arrive. */
  public void holdRequests() {
    hold(Set.of(Direction.REQUEST));
  }

  private void hold(Set<Direction> directions) {
    synchronized (gate) {
      held = directions;
    }
  }

  /** Each piece passes so much later, in each direction. */
  public void delay(Duration by) {
    synchronized (gate) {
      late = by;
    }
  }

  /**
   * Breaks a connection instead of bringing that part of its answers, from 0 to 1.
   *
   * @param seed of the choice
   */
  public void loseAnswers(double part, long seed) {
    synchronized (gate) {
      lost = part;
      random = new Random(seed);
    }
  }

  /** Bytes that passed to and from this port, ever. */
  public long passed(int target) {
    return doors.stream()
        .filter(door -> door.target() == target)
        .mapToLong(door -> door.passed().get())
        .sum();
  }

  /** Resets every connection that is open now. */
  public void reset() {
    open.forEach(HeldLink::reset);
  }

  /** Everything passes again at once, what was held back first. */
  public void release() {
    synchronized (gate) {
      held = Set.of();
      late = Duration.ZERO;
      lost = 0;
      gate.notifyAll();
    }
  }

  private void accept(Door door) {
    while (!door.socket().isClosed()) {
      try {
        var client = door.socket().accept();
        begin(() -> join(client, door));
      } catch (IOException closed) {
        continue;
      }
    }
  }

  private void join(Socket client, Door door) {
    try {
      awaitPassage(Direction.REQUEST);
      var server = new Socket(InetAddress.getLoopbackAddress(), door.target());
      begin(() -> pump(server, client, Direction.ANSWER, door));
      pump(client, server, Direction.REQUEST, door);
    } catch (IOException refused) {
      close(client);
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  private void pump(Socket from, Socket to, Direction direction, Door door) {
    open.add(from);
    try (from;
        to) {
      from.setTcpNoDelay(true);
      var buffer = new byte[CHUNK_BYTES];
      var in = from.getInputStream();
      var out = to.getOutputStream();
      for (var n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        awaitPassage(direction);
        if (direction == Direction.ANSWER && isLost()) {
          reset(to);
          return;
        }
        out.write(buffer, 0, n);
        door.passed().addAndGet(n);
      }
      awaitPassage(direction); // an end is a packet too
    } catch (IOException otherSideClosed) {
      return;
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    } finally {
      open.remove(from);
    }
  }

  private void awaitPassage(Direction direction) throws InterruptedException {
    synchronized (gate) {
      while (held.contains(direction)) {
        gate.wait();
      }
      // A delay ends early where it is taken back.
      var due = System.nanoTime() + late.toNanos();
      for (var left = late.toNanos(); left > 0 && !late.isZero(); left = due - System.nanoTime()) {
        TimeUnit.NANOSECONDS.timedWait(gate, left);
      }
    }
  }

  private boolean isLost() {
    synchronized (gate) {
      return lost > 0 && random.nextDouble() < lost;
    }
  }

  private static void begin(Runnable body) {
    var thread = new Thread(body, "held link");
    thread.setDaemon(true);
    thread.start();
  }

  private static void reset(Socket socket) {
    try {
      socket.setSoLinger(true, 0);
      socket.close();
    } catch (IOException closedMeanwhile) {
      return;
    }
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
    for (var door : doors) {
      try {
        door.socket().close();
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }
    release();
    open.forEach(HeldLink::close);
  }
}
