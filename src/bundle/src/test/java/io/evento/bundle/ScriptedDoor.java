package io.evento.bundle;

import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.FrameWriter;
import io.evento.protocol.vm.VmDoors;
import io.evento.protocol.vm.VmEnd;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BiConsumer;
import java.util.function.Function;
import javax.management.JMException;

/** The door of a scripted node for bundles of this JVM. */
final class ScriptedDoor {
  /** What the node is told of a session. */
  interface Session extends VmEnd.Reader {}

  /** What the node can do with a session. */
  interface Link {
    void send(String text);

    void cut();
  }

  final UUID process = UUID.randomUUID();
  final List<Optional<String>> tokens = new CopyOnWriteArrayList<>();
  private final String node;
  private final Function<Link, Session> opened;
  private final ExecutorService threads = Executors.newSingleThreadExecutor();
  private final List<VmEnd> ends = new CopyOnWriteArrayList<>();
  Runnable hide = () -> {};

  /** What it answers instead of letting anybody in; 0 for nothing at all; null to let him in. */
  volatile Integer refusal;

  ScriptedDoor(String node, Function<Link, Session> opened) {
    this.node = node;
    this.opened = opened;
    // Its thread is made here and not by a call of a bundle, whose classes it would keep hold of.
    threads.execute(() -> {});
  }

  void show() {
    try {
      hide = VmDoors.show(new VmDoors.Door(node, process, this::come));
    } catch (JMException failure) {
      throw new AssertionError(failure);
    }
  }

  /** As a node that is undeployed. */
  void hide() {
    hide.run();
    ends.forEach(end -> end.close(VmEnd.GOING_AWAY, "the node ends"));
    threads.shutdown();
  }

  @SuppressWarnings("unchecked")
  private void come(Map<String, Object> asked) {
    tokens.add(Optional.ofNullable((String) asked.get(VmDoors.TOKEN)));
    var ended = (BiConsumer<Integer, String>) asked.get(VmDoors.END);
    if (refusal != null) {
      if (refusal > 0) {
        ended.accept(refusal, "said so");
      }
      return;
    }
    var told = new Told();
    var end = new VmEnd(threads, told);
    ends.add(end);
    var writer = new FrameWriter(port(end), 1 << 20);
    told.session =
        opened.apply(
            new Link() {
              @Override
              public void send(String text) {
                writer.write(text, Lane.ANSWER);
              }

              @Override
              public void cut() {
                end.close(1006, "cut");
              }
            });
    end.join(
        (Function<String, CompletionStage<?>>) asked.get(VmDoors.FRAMES),
        ended,
        () ->
            ((BiConsumer<Function<String, CompletionStage<?>>, BiConsumer<Integer, String>>)
                    asked.get(VmDoors.OPENED))
                .accept(end::take, end::ended));
  }

  private static FrameWriter.Port port(VmEnd end) {
    return new FrameWriter.Port() {
      @Override
      public CompletionStage<?> send(String frame) {
        return end.send(frame);
      }

      @Override
      public void broken(Throwable failure) {
        end.close(1006, "broken");
      }
    };
  }

  private static final class Told implements VmEnd.Reader {
    private volatile Session session;

    @Override
    public void frame(String frame) {
      session.frame(frame);
    }

    @Override
    public void closed(int code, String reason) {
      session.closed(code, reason);
    }
  }
}
