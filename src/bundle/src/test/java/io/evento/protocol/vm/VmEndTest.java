package io.evento.protocol.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.FrameWriter;
import io.evento.protocol.FrameWriterContract;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A link between two ends in one JVM. */
class VmEndTest extends FrameWriterContract {
  private static final Executor HERE = Runnable::run;

  private final ArrayDeque<Runnable> left = new ArrayDeque<>();
  private final ExecutorService pool = Executors.newFixedThreadPool(2);
  private final Heard atNode = new Heard();
  private final Heard atBundle = new Heard();
  private final CompletableFuture<Boolean> taken = new CompletableFuture<>();

  VmEndTest() {
    super(
        link -> {
          var end = new VmEnd(HERE, new Heard());
          end.join(link::send, (code, reason) -> {}, () -> {});
          return port(end, link::broken);
        });
  }

  @AfterEach
  void stop() {
    pool.shutdownNow();
  }

  private static FrameWriter.Port port(VmEnd end, Consumer<Throwable> broken) {
    return new FrameWriter.Port() {
      @Override
      public CompletionStage<?> send(String frame) {
        return end.send(frame);
      }

      @Override
      public void broken(Throwable failure) {
        broken.accept(failure);
      }
    };
  }

  private static final class Heard implements VmEnd.Reader {
    private final List<String> all = new CopyOnWriteArrayList<>();
    private volatile Consumer<String> also = frame -> {};

    @Override
    public void frame(String frame) {
      all.add(frame);
      also.accept(frame);
    }

    @Override
    public void closed(int code, String reason) {
      all.add(code + " " + reason);
    }
  }

  private static void join(VmEnd one, VmEnd other) {
    one.join(other::take, other::ended, () -> {});
    other.join(one::take, one::ended, () -> {});
  }

  @Test
  void a_frame_is_read_on_a_thread_of_its_reader_and_only_then_is_it_sent() {
    var node = new VmEnd(left::add, atNode);
    var bundle = new VmEnd(HERE, atBundle);
    join(bundle, node);
    left.remove().run();

    var sent = bundle.send("a").toCompletableFuture();

    assertThat(atNode.all).isEmpty();
    assertThat(sent).isNotDone();
    left.remove().run();
    assertThat(atNode.all).containsExactly("a");
    assertThat(sent).isCompleted();
  }

  @Test
  void nobody_can_have_two_frames_wait() {
    var node = new VmEnd(left::add, atNode);
    node.take("a");

    assertThat(node.take("b").toCompletableFuture()).isCompletedExceptionally();
    left.remove().run();
    assertThat(atNode.all).containsExactly("a");
  }

  @Test
  void what_was_sent_before_the_end_is_read_before_it() {
    var node = new VmEnd(left::add, atNode);
    var bundle = new VmEnd(HERE, atBundle);
    join(bundle, node);

    bundle.send("last");
    bundle.close(1000, "goes");
    while (!left.isEmpty()) {
      left.remove().run();
    }

    assertThat(atNode.all).containsExactly("last", "1000 goes");
    assertThat(atBundle.all).containsExactly("1000 goes");
    assertThat(bundle.send("x").toCompletableFuture()).isCompletedExceptionally();
    node.send("x");
    left.remove().run();
    assertThat(atNode.all).as("the end is told once").hasSize(2);
  }

  @Test
  void a_frame_that_finds_the_link_over_fails_on_a_thread_of_its_own_side() {
    var node = new VmEnd(HERE, atNode);
    var own = new ArrayDeque<Runnable>();
    var bundle = new VmEnd(own::add, atBundle);
    var failures = new ArrayList<Throwable>();
    bundle.join(frame -> taken, (code, reason) -> {}, () -> {});
    node.join(bundle::take, bundle::ended, () -> {});
    own.remove().run();
    var writer = new FrameWriter(port(bundle, failures::add), 1 << 20);
    writer.request("a");
    writer.request("b");

    node.close(1001, "goes");
    taken.complete(true); // as the node's reader does; it pumps the bundle's writer

    assertThat(failures).as("not on the thread of the node").isEmpty();
    while (!own.isEmpty()) {
      own.remove().run();
    }
    assertThat(failures).hasSize(1);
  }

  @Test
  void a_late_close_does_not_hide_what_the_other_side_said_before_its_end() {
    var node = new VmEnd(left::add, atNode);
    var bundle = new VmEnd(HERE, atBundle);
    join(bundle, node);
    left.remove().run();
    bundle.send("last");
    bundle.close(1000, "goes");

    node.close(1011, "late");
    while (!left.isEmpty()) {
      left.remove().run();
    }

    assertThat(atNode.all).containsExactly("last", "1000 goes");
  }

  @Test
  void another_side_whose_classes_are_gone_ends_the_link_and_nothing_else() {
    var bundle = new VmEnd(HERE, atBundle);
    bundle.join(
        frame -> {
          throw new NoClassDefFoundError("gone");
        },
        (code, reason) -> {
          throw new NoClassDefFoundError("gone");
        },
        () -> {});

    assertThat(bundle.send("a").toCompletableFuture()).isCompletedExceptionally();
    bundle.close(1000, "goes");

    assertThat(atBundle.all).containsExactly("1000 goes");
  }

  @Test
  void who_ends_it_reads_nothing_more() {
    var node = new VmEnd(left::add, atNode);
    node.take("a");
    node.close(1001, "goes");

    left.remove().run();

    assertThat(atNode.all).containsExactly("1001 goes");
  }

  @Test
  void a_reader_that_breaks_ends_the_link_on_both_sides() {
    atNode.also =
        frame -> {
          throw new IllegalStateException("broken");
        };
    var node = new VmEnd(HERE, atNode);
    var bundle = new VmEnd(HERE, atBundle);
    join(bundle, node);

    bundle.send("a");

    assertThat(atBundle.all).singleElement().asString().startsWith("1011 ");
    assertThat(atNode.all).hasSize(2);
  }

  @Test
  void a_side_whose_threads_have_stopped_ends_the_link() {
    var node =
        new VmEnd(
            task -> {
              throw new RejectedExecutionException();
            },
            atNode);
    var bundle = new VmEnd(HERE, atBundle);
    bundle.join(node::take, node::ended, () -> {});
    node.join(bundle::take, bundle::ended, () -> {});

    assertThat(atBundle.all).singleElement().asString().startsWith("1001 ");
  }

  @Test
  void two_writers_flood_each_other_within_their_bounds_and_everything_comes_once_in_order() {
    var node = new VmEnd(pool, atNode);
    var bundle = new VmEnd(pool, atBundle);
    join(bundle, node);
    var failures = new ArrayList<Throwable>();
    var down = new FrameWriter(port(node, failures::add), 1 << 20);
    var up = new FrameWriter(port(bundle, failures::add), 1 << 20);

    var expected = new ArrayList<String>();
    for (var i = 0; i < 50_000; i++) {
      var line = "m" + i;
      if (up.write(line, Lane.ANSWER)) {
        expected.add(line);
      }
      down.request(line);
    }

    await()
        .untilAsserted(
            () -> assertThat(String.join("\n", atNode.all)).isEqualTo(String.join("\n", expected)));
    await().until(() -> down.isIdle() && up.isIdle());
    assertThat(failures).isEmpty();
  }
}
