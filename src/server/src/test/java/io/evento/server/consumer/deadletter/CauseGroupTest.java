package io.evento.server.consumer.deadletter;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CauseGroupTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "shop.Broken",
        "shop.Broken: no stock of A-1",
        "shop.Broken\nin process 7 on host-1\n  at shop.Stock.take(Stock.java:12)",
        "shop.Broken: no stock of A-2\nin process 8 on host-2"
      })
  void failures_of_one_kind_are_one_group_whatever_they_say_and_wherever_they_happened(
      String cause) {
    assertThat(DeadLetterTable.group(cause)).isEqualTo("shop.Broken");
  }
}
