package io.evento.bundle.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class FrameWriterTest {
  /** Keeps each frame under way until told otherwise. */
  private static final class Recording implements Frames {
    final List<String> frames = new ArrayList<>();
    final List<Throwable> failures = new ArrayList<>();
    CompletableFuture<Void> underWay = new CompletableFuture<>();

    @Override
    public CompletionStage<?> send(CharSequence frame) {
      frames.add(frame.toString());
      underWay = new CompletableFuture<>();
      return underWay;
    }

    @Override
    public void broken(Throwable failure) {
      failures.add(failure);
    }
  }

  private final Recording link = new Recording();
  private final FrameWriter writer = new FrameWriter(link);

  @Test
  void an_idle_link_sends_at_once() {
    assertThat(writer.request("a")).isTrue();
    assertThat(link.frames).containsExactly("a");
  }

  @Test
  void what_comes_while_a_frame_is_under_way_shares_the_next() {
    writer.request("a");
    writer.request("b");
    writer.request("c");
    assertThat(link.frames).containsExactly("a");
    link.underWay.complete(null);
    assertThat(link.frames).containsExactly("a", "b\nc");
    link.underWay.complete(null);
    assertThat(writer.isIdle()).isTrue();
  }

  @Test
  void answers_go_before_requests() {
    writer.request("a");
    writer.request("b");
    writer.answer("c");
    link.underWay.complete(null);
    assertThat(link.frames).containsExactly("a", "c\nb");
  }

  @Test
  void a_frame_ends_at_64_messages() {
    writer.request("0");
    for (var i = 1; i <= 65; i++) {
      writer.request("" + i);
    }
    link.underWay.complete(null);
    assertThat(link.frames.get(1).split("\n")).hasSize(64);
    link.underWay.complete(null);
    assertThat(link.frames.get(2)).isEqualTo("65");
  }

  @Test
  void a_frame_ends_at_32_kilobytes_and_a_larger_message_goes_alone() {
    writer.request("a");
    var large = "x".repeat(40_000);
    var half = "y".repeat(16_000);
    writer.request(large);
    writer.request(half);
    writer.request(half);
    writer.request(half);
    link.underWay.complete(null);
    link.underWay.complete(null);
    link.underWay.complete(null);
    assertThat(link.frames).containsExactly("a", large, half + "\n" + half, half);
  }

  @Test
  void requests_are_refused_when_too_many_wait_and_answers_are_not() {
    writer.request("a");
    while (writer.request("b")) {
      assertThat(link.frames).hasSize(1);
    }
    assertThat(writer.answer("c")).isTrue();
    link.underWay.complete(null);
    assertThat(link.frames.get(1)).startsWith("c\nb");
  }

  @Test
  void a_frame_that_fails_ends_the_link() {
    writer.request("a");
    writer.request("b");
    link.underWay.completeExceptionally(new IllegalStateException("gone"));
    assertThat(link.failures).hasSize(1);
    assertThat(link.frames).containsExactly("a");
    assertThat(writer.request("c")).isFalse();
    assertThat(writer.answer("c")).isFalse();
  }

  @Test
  void a_link_that_completes_at_once_does_not_pile_up_stack() {
    var frames = new ArrayList<String>();
    var instant =
        new FrameWriter(
            new Frames() {
              @Override
              public CompletionStage<?> send(CharSequence frame) {
                frames.add(frame.toString());
                return CompletableFuture.completedFuture(null);
              }

              @Override
              public void broken(Throwable failure) {}
            });
    for (var i = 0; i < 100_000; i++) {
      instant.request("a");
    }
    assertThat(frames).hasSize(100_000);
  }
}
