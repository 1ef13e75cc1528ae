package io.evento.server.gateway.http;

import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.channels.SocketChannel;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The connection beneath a request, for what the Servlet API has no word for: to end it while its
 * peer neither sends nor reads what was agreed. A completed request is no end, as the container
 * goes on waiting for the rest of its body, and for its answer to be taken, for as long as the peer
 * likes; no thread waits then, but the connection and what is written stay.
 *
 * <p>Guarded: a container that is not as expected is said once in the log, and waits as it does.
 */
public final class PeerConnection {
  private static final Logger LOG = System.getLogger(PeerConnection.class.getName());
  private static final AtomicBoolean SAID_SO = new AtomicBoolean();

  /**
   * Grizzly calls itself ready until four times the socket's buffer waits in its own queue, which
   * can be 10 MiB.
   */
  private static final int QUEUE_BYTES_MAX = 128 << 10;

  private final @Nullable Object connection;

  private PeerConnection(@Nullable Object connection) {
    this.connection = connection;
  }

  /**
   * Finds it while the request is under way: what is completed may serve another connection by the
   * time that it is asked.
   */
  public static PeerConnection of(ServletRequest request) {
    try {
      return new PeerConnection(beneath(request));
    } catch (ReflectiveOperationException | RuntimeException unexpected) {
      say(unexpected);
      return new PeerConnection(null);
    }
  }

  /** Lets the container hold only a little of an answer that its reader does not take. */
  void bound() {
    var open = connection;
    if (open != null && isOfGrizzly(open)) {
      tell(open, "setMaxAsyncWriteQueueSize", QUEUE_BYTES_MAX);
    }
  }

  /** Ends it now, whatever was not taken yet. */
  void cut() {
    close("terminateSilently");
  }

  /** Ends it once what was written has left. */
  void end() {
    close("closeSilently");
  }

  /** Whoever reads from it reads an end; what is answered still leaves. */
  public void endInput() {
    var open = connection;
    if (open == null || !isOfGrizzly(open)) {
      end();
      return;
    }
    try {
      // Closing the channel would not wake a thread that waits in a selector for it.
      if (call(open, "getChannel") instanceof SocketChannel channel) {
        channel.shutdownInput();
      }
    } catch (IOException | ReflectiveOperationException | RuntimeException unexpected) {
      LOG.log(Level.DEBUG, "the input could not be ended", unexpected);
      end();
    }
  }

  private void close(String how) {
    var open = connection;
    if (open != null && isOfGrizzly(open)) {
      tell(open, how);
    } else if (open instanceof Closeable closeable) {
      try {
        closeable.close();
      } catch (IOException gone) {
        LOG.log(Level.DEBUG, "connection was gone already", gone);
      }
    }
  }

  private static void tell(Object connection, String method, Integer... arguments) {
    try {
      var types = arguments.length == 0 ? new Class<?>[0] : new Class<?>[] {int.class};
      connection.getClass().getMethod(method, types).invoke(connection, (Object[]) arguments);
    } catch (ReflectiveOperationException | RuntimeException unexpected) {
      say(unexpected);
    }
  }

  private static boolean isOfGrizzly(Object connection) {
    return connection.getClass().getName().startsWith("org.glassfish.grizzly.");
  }

  private static Object beneath(ServletRequest request) throws ReflectiveOperationException {
    var real = request;
    while (real instanceof ServletRequestWrapper wrapper) {
      real = wrapper.getRequest();
    }
    return real.getClass().getName().startsWith("io.undertow.")
        ? call(call(real, "getExchange"), "getConnection")
        : call(call(call(real, "getUnwrappedCoyoteRequest"), "getCoyoteRequest"), "getConnection");
  }

  private static Object call(Object target, String method) throws ReflectiveOperationException {
    var answer = target.getClass().getMethod(method).invoke(target);
    if (answer == null) {
      throw new IllegalStateException(target.getClass() + " has no " + method + " any more");
    }
    return answer;
  }

  private static void say(Exception unexpected) {
    if (SAID_SO.compareAndSet(false, true)) {
      LOG.log(
          Level.WARNING,
          "the container is another one than expected: slow peers keep their connections",
          unexpected);
    }
  }
}
