package io.evento.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrafficWishTest {
  private final Properties options = new Properties();

  @Test
  void it_is_what_the_option_says() {
    assertThat(TrafficWish.of(options).perSecond()).isEqualTo(5);
    options.setProperty("cluster.traffic", "0");
    assertThat(TrafficWish.of(options).perSecond()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"abc", "501", "-1", "", "99999999999"})
  void anything_else_is_refused_in_a_sentence(String given) {
    options.setProperty("cluster.traffic", given);

    assertThatThrownBy(() -> TrafficWish.of(options))
        .hasMessage("cluster.traffic must be 0 to 500, is " + given);
  }
}
