package io.evento.bundle.session;

import io.evento.protocol.vm.VmDoors;
import io.evento.protocol.vm.VmDoors.Door;
import io.evento.protocol.vm.VmEnd;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The nodes of this JVM, and the one thread of the bundle that reads what they say. */
final class VmNodes implements AutoCloseable {
  private static final int NORMAL = 1000;

  private @Nullable ExecutorService thread; // guarded by this
  private boolean isClosed; // guarded by this

  /** The name of a node here that is one of these processes; empty if there is none. */
  static String find(Set<UUID> processes) {
    return processes.isEmpty()
        ? ""
        : VmDoors.find().stream()
            .filter(door -> processes.contains(door.process()))
            .map(Door::node)
            .findFirst()
            .orElse("");
  }

  /**
   * The way to a node that the cluster told of.
   *
   * @param processes of the cluster
   */
  Carrier.Dialler dialler(String node, Set<UUID> processes) {
    return dialler(
        VmDoors.find().stream()
            .filter(door -> door.node().equals(node) && processes.contains(door.process()))
            .toList());
  }

  /**
   * The way to the node of an address that was given.
   *
   * @param address as {@link Address#parse} made it
   * @param processes of the cluster as far as they are known: of several doors theirs is meant
   */
  Carrier.Dialler dialler(URI address, Set<UUID> processes) {
    var named =
        VmDoors.find().stream()
            .filter(
                door ->
                    address.equals(Address.VM)
                        || door.node().equals(address.getSchemeSpecificPart()))
            .toList();
    var ours = named.stream().filter(door -> processes.contains(door.process())).toList();
    return dialler(ours.isEmpty() ? named : ours);
  }

  private Carrier.Dialler dialler(List<Door> doors) {
    return (token, listener) -> {
      if (doors.isEmpty()) {
        listener.ended("no such node is up in this JVM");
      } else if (doors.size() > 1) {
        listener.ended(
            "several nodes are up in this JVM: say which, such as vm:" + doors.get(0).node());
      } else {
        var link = new Link(thread(), listener);
        link.open(doors.get(0), token.orElse(null));
      }
    };
  }

  private synchronized ExecutorService thread() {
    if (thread == null) {
      var only =
          new ThreadPoolExecutor(
              1,
              1,
              0,
              TimeUnit.SECONDS,
              new LinkedBlockingQueue<>(),
              task -> {
                var made = new Thread(task, "evento-vm");
                made.setDaemon(true);
                return made;
              });
      // By us: a thread that a node's call made would keep hold of the node's classes.
      only.prestartCoreThread();
      if (isClosed) {
        only.shutdown();
      }
      thread = only;
    }
    return thread;
  }

  /** What was handed over is read before the thread ends. */
  @Override
  public synchronized void close() {
    isClosed = true;
    if (thread != null) {
      thread.shutdown();
    }
  }

  /** One link to a node. */
  private static final class Link implements Carrier, VmEnd.Reader {
    private final Listener listener;
    private final VmEnd end;

    Link(ExecutorService thread, Listener listener) {
      this.listener = listener;
      end = new VmEnd(thread, this);
    }

    void open(Door door, @Nullable String token) {
      Function<String, CompletionStage<?>> frames = end::take;
      BiConsumer<Integer, String> ended = end::ended;
      BiConsumer<Function<String, CompletionStage<?>>, BiConsumer<Integer, String>> opened =
          (taking, ending) -> end.join(taking, ending, () -> listener.opened(this));
      Map<String, Object> asked = new HashMap<>();
      asked.put(VmDoors.FRAMES, frames);
      asked.put(VmDoors.END, ended);
      asked.put(VmDoors.OPENED, opened);
      if (token != null) {
        asked.put(VmDoors.TOKEN, token);
      }
      try {
        door.open().accept(asked);
      } catch (RuntimeException | Error gone) {
        // Whatever a node is that ends: it must not end what looks after all sessions.
        listener.ended("the node of this JVM ends: " + gone);
      }
    }

    @Override
    public CompletionStage<?> send(String frame) {
      return end.send(frame);
    }

    @Override
    public void close() {
      end.close(NORMAL, "");
    }

    @Override
    public void abort() {
      end.close(VmEnd.GOING_AWAY, "");
    }

    @Override
    public void frame(String frame) {
      listener.heard();
      listener.frame(frame);
    }

    @Override
    public void closed(int code, String reason) {
      if (Ends.isRefusal(code)) {
        listener.refused("the node of this JVM answered " + code + " " + reason);
      } else {
        Ends.tell(listener, code, reason);
      }
    }
  }
}
