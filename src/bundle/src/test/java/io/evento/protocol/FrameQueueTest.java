package io.evento.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.FrameQueue.Lane;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("I8")
class FrameQueueTest {
  private final FrameQueue queue = new FrameQueue(100, 200_000);

  @Test
  void answers_leave_before_requests_that_came_earlier() {
    queue.offer("question", Lane.REQUEST);
    queue.offer("answer", Lane.ANSWER);
    assertThat(queue.poll()).isEqualTo("answer\nquestion");
  }

  @Test
  void a_frame_ends_at_64_messages() {
    for (var i = 0; i < FrameQueue.FRAME_MESSAGES_MAX + 1; i++) {
      queue.offer("m" + i, Lane.REQUEST);
    }
    assertThat(queue.poll()).hasLineCount(FrameQueue.FRAME_MESSAGES_MAX);
    assertThat(queue.poll()).isEqualTo("m64");
    assertThat(queue.poll()).isNull();
  }

  @Test
  void a_message_above_the_frame_size_goes_alone() {
    var large = "x".repeat(FrameQueue.FRAME_CHARS_MAX + 1);
    queue.offer("small", Lane.REQUEST);
    queue.offer(large, Lane.REQUEST);
    queue.offer("after", Lane.REQUEST);
    assertThat(queue.poll()).isEqualTo("small");
    assertThat(queue.poll()).isEqualTo(large);
    assertThat(queue.poll()).isEqualTo("after");
  }

  @Test
  void a_full_queue_takes_nothing_more_and_loses_nothing() {
    for (var i = 0; i < 100; i++) {
      assertThat(queue.offer("m", Lane.REQUEST)).isTrue();
    }
    assertThat(queue.offer("one too many", Lane.ANSWER)).isFalse();
    assertThat(queue.size()).isEqualTo(100);
  }

  @Test
  void characters_are_bounded_but_one_message_always_fits() {
    var huge = "x".repeat(300_000);
    assertThat(queue.offer(huge, Lane.REQUEST)).isTrue();
    assertThat(queue.offer("m", Lane.REQUEST)).isFalse();
    assertThat(queue.poll()).isEqualTo(huge);
    assertThat(queue.offer("m", Lane.REQUEST)).isTrue();
  }
}
