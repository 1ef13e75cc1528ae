package io.evento.bundle.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StateCacheTest {
  @Test
  void the_stream_that_was_used_least_recently_is_forgotten() {
    var cache = new StateCache(2);
    var a = cache.of("a");
    var b = cache.of("b");
    assertThat(cache.of("a")).isSameAs(a);
    cache.of("c");
    assertThat(cache.size()).isEqualTo(2);
    assertThat(cache.of("a")).isSameAs(a);
    assertThat(cache.of("b")).isNotSameAs(b);
  }
}
