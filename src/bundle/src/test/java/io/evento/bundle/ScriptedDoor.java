package io.evento.bundle;

import static java.util.Objects.requireNonNull;

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
import org.jspecify.annotations.Nullable;

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
  volatile @Nullable Integer refusal;

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
    var ended = (BiConsumer<Integer, String>) requireNonNull(asked.get(VmDoors.END));
    var frames = (Function<String, CompletionStage<?>>) requireNonNull(asked.get(VmDoors.FRAMES));
    var letIn =
        (BiConsumer<Function<String, CompletionStage<?>>, BiConsumer<Integer, String>>)
            requireNonNull(asked.get(VmDoors.OPENED));
    var refused = refusal;
    if (refused != null) {
      if (refused > 0) {
        ended.accept(refused, "said so");
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
    end.join(frames, ended, () -> letIn.accept(end::take, end::ended));
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
    private volatile @Nullable Session session;

    @Override
    public void frame(String frame) {
      requireNonNull(session).frame(frame);
    }

    @Override
    public void closed(int code, String reason) {
      requireNonNull(session).closed(code, reason);
    }
  }
}
