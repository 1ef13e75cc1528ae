package io.evento.server.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PiecesTest {
  private final Pieces pieces = new Pieces();

  @Test
  void what_was_added_comes_out_in_order_and_counts_until_then() throws IOException {
    var random = new Random(7);
    var added = new ByteArrayOutputStream();
    for (var i = 0; i < 300; i++) {
      var part = new byte[random.nextInt(i % 10 == 0 ? 100_000 : 100)];
      random.nextBytes(part);
      var offset = part.length / 3;
      pieces.add(part, offset, part.length - offset);
      added.write(part, offset, part.length - offset);
    }
    assertThat(pieces.size()).isEqualTo(added.size());

    var polled = new ByteArrayOutputStream();
    for (var piece = pieces.poll(); piece != null; piece = pieces.poll()) {
      polled.write(piece);
      assertThat(piece.length).isLessThanOrEqualTo(32 << 10);
      assertThat(pieces.size()).isEqualTo(added.size() - polled.size());
    }
    assertThat(polled.toByteArray()).isEqualTo(added.toByteArray());
  }

  @Test
  void a_gathered_body_is_read_as_it_came() throws IOException {
    var body = new byte[100_001];
    new Random(8).nextBytes(body);
    pieces.add(body, 0, body.length);

    try (var read = new GatheredBody(pieces)) {
      assertThat(read.read()).isEqualTo(body[0] & 0xff);
      assertThat(read.readAllBytes()).isEqualTo(java.util.Arrays.copyOfRange(body, 1, body.length));
      assertThat(read.isFinished()).isTrue();
      assertThat(read.read()).isEqualTo(-1);
    }
  }

  @Test
  void nothing_is_an_empty_body() throws IOException {
    try (var read = new GatheredBody(pieces)) {
      assertThat(read.readAllBytes()).isEmpty();
    }
  }
}
