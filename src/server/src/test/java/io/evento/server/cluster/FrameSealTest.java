package io.evento.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.cluster.FrameSeal.Key;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What nodes seal is read by the node that it was sealed for, once, and by nobody else. */
class FrameSealTest {
  private static final byte[] KEY = key(1);
  private static final byte[] FRAME = ">fresh {}".getBytes(StandardCharsets.UTF_8);

  private static final Key FIRST = new Key(1, KEY, true);
  private static final Key SECOND = new Key(2, key(2), true);

  private final FrameSeal sender = seal(FIRST);
  private final FrameSeal receiver = seal(FIRST);

  private static byte[] key(int fill) {
    var key = new byte[32];
    Arrays.fill(key, (byte) fill);
    return key;
  }

  private static FrameSeal seal(Key... keys) {
    var seal = new FrameSeal(UUID.randomUUID());
    seal.use(List.of(keys));
    return seal;
  }

  @Test
  void a_frame_is_read_by_the_node_that_it_was_sealed_for() {
    assertThat(receiver.open(sender.seal(FRAME, "b"), "b")).contains(FRAME);
    assertThat(receiver.open(sender.seal(new byte[0], "b"), "b")).contains(new byte[0]);
    assertThat(new String(sender.seal(FRAME, "b"), StandardCharsets.ISO_8859_1))
        .doesNotContain("fresh");
  }

  @Test
  void a_frame_that_was_heard_is_not_heard_again_nor_an_older_one() {
    var first = sender.seal(FRAME, "b");
    var second = sender.seal(FRAME, "b");
    assertThat(receiver.open(second, "b")).isPresent();
    assertThat(receiver.open(second, "b")).isEmpty();
    assertThat(receiver.open(first, "b")).isEmpty();
    assertThat(receiver.open(sender.seal(FRAME, "b"), "b")).isPresent();
  }

  @Test
  void a_frame_for_another_node_or_with_a_changed_byte_is_refused() {
    var sealed = sender.seal(FRAME, "b");
    assertThat(receiver.open(sealed, "c")).isEmpty();
    for (var i = 0; i < sealed.length; i++) {
      var forged = sealed.clone();
      forged[i] ^= 1;
      assertThat(receiver.open(forged, "b")).as("byte %s", i).isEmpty();
      assertThat(receiver.open(Arrays.copyOf(sealed, i), "b")).as("cut at %s", i).isEmpty();
    }
    assertThat(receiver.open(sealed, "b")).as("nothing forged counts as heard").isPresent();
  }

  @Test
  void who_has_another_key_or_none_is_refused() {
    var stranger = seal(new Key(1, key(2), true));
    assertThat(receiver.open(stranger.seal(FRAME, "b"), "b")).isEmpty();
    assertThat(receiver.open("Hstranger".getBytes(StandardCharsets.UTF_8), "b")).isEmpty();
    assertThat(receiver.open(new byte[100], "b")).isEmpty();
  }

  @Test
  void keys_change_without_a_frame_that_cannot_be_read() {
    var read = List.of(FIRST, new Key(2, key(2), false));
    sender.use(read);
    assertThat(receiver.open(sender.seal(FRAME, "b"), "b"))
        .as("of who has read the new key, to who has not")
        .isPresent();
    receiver.use(read);
    sender.use(List.of(FIRST, SECOND));
    assertThat(receiver.open(sender.seal(FRAME, "b"), "b")).as("once it is ripe").isPresent();
    assertThat(sender.open(receiver.seal(FRAME, "a"), "a")).as("under the old one").isPresent();
  }

  @Test
  void a_key_that_was_taken_away_opens_nothing_any_more() {
    var holder = sender.seal(FRAME, "b");
    receiver.use(List.of(SECOND));
    assertThat(receiver.open(holder, "b")).isEmpty();
    assertThat(receiver.isOfUnknownKey(holder)).isTrue();
    assertThat(receiver.use(List.of(SECOND))).as("the same again").isFalse();
    assertThat(receiver.use(List.of(FIRST, SECOND))).isTrue();
    assertThat(receiver.open(holder, "b")).isPresent();
  }

  @Test
  void no_two_frames_have_the_same_head() {
    var heads = new HashSet<String>();
    for (var i = 0; i < 1_000; i++) {
      var sealed = (i % 2 == 0 ? sender : receiver).seal(FRAME, "b");
      heads.add(Arrays.toString(Arrays.copyOf(sealed, 28)));
    }
    assertThat(heads).hasSize(1_000);
  }
}
