package io.evento.server.consumer.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.RecordedEvent.Stream;
import org.junit.jupiter.api.Test;

class SlotsTest {
  @Test
  void a_stream_stays_in_its_slot_for_ever() {
    // Stored checkpoints rest on these numbers: if one changes, the function is wrong, not the
    // test.
    assertThat(Slots.of(new Stream("Account", "a-1"))).isEqualTo(73);
    assertThat(Slots.of(new Stream("Account", "a-2"))).isEqualTo(7);
    assertThat(Slots.of(new Stream("Transfer", "a-1"))).isEqualTo(14);
    assertThat(Slots.of(new Stream("Account", "Zoë 👛"))).isEqualTo(14);
  }

  @Test
  void the_hash_is_that_of_the_stream_name() {
    var stream = new Stream("Account", "0c8ab5f4-7a54-4a0b-9d6d-2d3c4e5f6a7b");
    var hash = "Account:0c8ab5f4-7a54-4a0b-9d6d-2d3c4e5f6a7b".hashCode();
    hash = (hash ^ (hash >>> 16)) * 0x85ebca6b;
    hash = (hash ^ (hash >>> 13)) * 0xc2b2ae35;
    assertThat(Slots.of(stream)).isEqualTo((hash ^ (hash >>> 16)) >>> 25);
  }

  @Test
  void streams_that_count_up_are_spread_over_all_slots() {
    var perSlot = new int[Slots.COUNT];
    for (var i = 0; i < 128_000; i++) {
      perSlot[Slots.of(new Stream("Account", "a-" + i))]++;
    }
    for (var slot = 0; slot < Slots.COUNT; slot++) {
      assertThat(perSlot[slot]).as("slot " + slot).isBetween(700, 1_300);
    }
  }
}
