package io.evento.testing;

import java.io.IOException;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Ports that a test's server can have. They lie below those that the system gives to outgoing
 * connections (32768 and above on Linux): a port that the system names is free when it is asked
 * for, and may be a connection's when the server starts.
 */
public final class FreePorts {
  private static final int FIRST = 12_000;
  private static final int COUNT = 20_000;
  private static final int TRIES_MAX = 1_000;

  /** No two tests of a process are given the same one; each process begins elsewhere. */
  private static final AtomicInteger NEXT =
      new AtomicInteger(ThreadLocalRandom.current().nextInt(COUNT));

  private FreePorts() {}

  /** One that nobody listens at. */
  public static int one() {
    return row(1);
  }

  /**
   * Several ports beside each other that nobody listens at.
   *
   * @return the lowest
   */
  public static int row(int count) {
    for (var tries = 0; tries < TRIES_MAX; tries++) {
      var first = FIRST + Math.floorMod(NEXT.getAndAdd(count), COUNT);
      if (areFree(first, count)) {
        return first;
      }
    }
    throw new IllegalStateException("no " + count + " free ports beside each other");
  }

  private static boolean areFree(int first, int count) {
    for (var port = first; port < first + count; port++) {
      try {
        new ServerSocket(port).close();
      } catch (IOException taken) {
        return false;
      }
    }
    return true;
  }
}
