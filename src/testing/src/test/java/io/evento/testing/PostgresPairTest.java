package io.evento.testing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PostgresPairTest {
  @Test
  void a_standby_has_what_a_synchronous_primary_committed_and_takes_over_from_a_frozen_one() {
    try (var pair = PostgresPair.start()) {
      pair.synchronous();
      pair.first().execute("create table kept as select 42 as it");
      pair.first().freeze();
      pair.promote();
      assertThat(pair.primary()).isSameAs(pair.second());
      assertThat(pair.second().ask("select it from kept")).isEqualTo("42");

      pair.first().thaw();
      assertThat(pair.first().ask("select pg_is_in_recovery()")).isEqualTo("f");
      pair.rejoin();
      pair.caughtUp();
      assertThat(pair.first().ask("select pg_is_in_recovery()")).isEqualTo("t");
      assertThat(pair.first().ask("select it from kept")).isEqualTo("42");
    }
  }
}
