package io.evento.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.FrameQueue.Lane;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What the writer of a session keeps to, whichever port it writes to. */
public abstract class FrameWriterContract {
  private static final int CHARS_MAX = 1 << 20;

  /** Keeps each frame under way until told otherwise, and what it was told of a failure. */
  public static final class Link {
    private final List<String> frames = new ArrayList<>();
    private final List<Object> failures = new ArrayList<>();
    private CompletableFuture<Boolean> underWay = new CompletableFuture<>();
    private boolean isInstant;

    /** Completes when the frame is sent. */
    public CompletableFuture<Boolean> send(String frame) {
      frames.add(frame);
      underWay = new CompletableFuture<>();
      if (isInstant) {
        underWay.complete(true);
      }
      return underWay;
    }

    /** Takes what the port says of a frame that was not sent. */
    public void broken(Object failure) {
      failures.add(failure);
    }
  }

  private final Link link = new Link();
  private final FrameWriter writer;

  /**
   * @param port sends by {@link Link#send} and says what fails to {@link Link#broken}
   */
  protected FrameWriterContract(Function<Link, FrameWriter.Port> port) {
    writer = new FrameWriter(port.apply(link), CHARS_MAX);
  }

  @Test
  void an_idle_link_sends_at_once() {
    assertThat(writer.isIdle()).isTrue();
    assertThat(writer.request("a")).isTrue();
    assertThat(link.frames).containsExactly("a");
    assertThat(writer.isIdle()).isFalse();
  }

  @Test
  void what_comes_while_a_frame_is_under_way_shares_the_next() {
    writer.request("a");
    writer.request("b");
    writer.request("c");
    assertThat(link.frames).containsExactly("a");
    link.underWay.complete(true);
    assertThat(link.frames).containsExactly("a", "b\nc");
    link.underWay.complete(true);
    assertThat(writer.isIdle()).isTrue();
  }

  @Test
  void answers_go_before_requests() {
    writer.request("a");
    writer.request("b");
    writer.write("c", Lane.ANSWER);
    writer.write("d", Lane.REQUEST);
    link.underWay.complete(true);
    assertThat(link.frames).containsExactly("a", "c\nb\nd");
  }

  @Test
  void a_frame_ends_at_64_messages() {
    writer.request("0");
    for (var i = 1; i <= 65; i++) {
      writer.request("" + i);
    }
    link.underWay.complete(true);
    assertThat(link.frames.get(1).split("\n")).hasSize(64);
    link.underWay.complete(true);
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
    link.underWay.complete(true);
    link.underWay.complete(true);
    link.underWay.complete(true);
    assertThat(link.frames).containsExactly("a", large, half + "\n" + half, half);
  }

  @Test
  void requests_are_refused_when_too_many_wait_and_answers_are_not() {
    writer.request("a");
    var waiting = 0;
    while (writer.request("b")) {
      waiting++;
    }
    assertThat(waiting).isEqualTo(20_000);
    assertThat(writer.write("c", Lane.ANSWER)).isTrue();
    link.underWay.complete(true);
    assertThat(link.frames.get(1)).startsWith("c\nb");
  }

  @Test
  void answers_are_refused_at_50_000_messages() {
    writer.request("a");
    for (var i = 0; i < 50_000; i++) {
      assertThat(writer.write("b", Lane.ANSWER)).isTrue();
    }
    assertThat(writer.write("b", Lane.ANSWER)).isFalse();
    assertThat(link.failures).as("a full queue breaks no link").isEmpty();
  }

  @Test
  void answers_are_refused_at_so_many_characters() {
    writer.request("a");
    assertThat(writer.write("b".repeat(CHARS_MAX), Lane.ANSWER)).isTrue();
    assertThat(writer.write("c", Lane.ANSWER)).isFalse();
  }

  @Test
  void a_frame_that_fails_is_said_once_and_nothing_more_is_sent() {
    writer.request("a");
    writer.request("b");
    link.underWay.completeExceptionally(new IllegalStateException("gone"));
    writer.request("c");
    writer.write("d", Lane.ANSWER);
    assertThat(link.failures).hasSize(1);
    assertThat(link.frames).containsExactly("a");
  }

  @Test
  void a_closed_writer_drops_what_waits_and_takes_nothing() {
    writer.request("a");
    writer.request("b");
    writer.close();
    assertThat(writer.request("c")).isFalse();
    assertThat(writer.write("c", Lane.ANSWER)).isFalse();
    link.underWay.complete(true);
    assertThat(link.frames).containsExactly("a");
    assertThat(link.failures).isEmpty();
  }

  @Test
  void a_frame_that_does_not_end_is_seen() {
    var before = System.nanoTime();
    writer.request("a");
    assertThat(writer.isStuckSince(before)).isFalse();
    assertThat(writer.isStuckSince(writer.lastFrameNanos() + 1)).isTrue();
    link.underWay.complete(true);
    assertThat(writer.isStuckSince(writer.lastFrameNanos() + 1)).isFalse();
  }

  @Test
  void a_link_that_completes_at_once_does_not_pile_up_stack() {
    writer.request("first");
    for (var i = 0; i < 19_000; i++) {
      writer.request("x".repeat(50));
    }
    link.isInstant = true;
    link.underWay.complete(true);
    assertThat(writer.isIdle()).isTrue();
    for (var i = 0; i < 100_000; i++) {
      writer.request("a");
    }
    assertThat(link.frames).hasSize(1 + 19_000 / 64 + 1 + 100_000);
  }
}
