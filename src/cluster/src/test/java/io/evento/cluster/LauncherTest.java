package io.evento.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.launcher.StartPatience;
import java.time.Duration;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LauncherTest {
  private final Properties options = new Properties();

  @Test
  void a_start_is_waited_for_ten_times_as_long_while_it_makes_progress() {
    assertThat(Launcher.patience(options))
        .isEqualTo(new StartPatience(Duration.ofSeconds(120), Duration.ofSeconds(1_200)));
    options.setProperty("cluster.start-seconds", "600");
    assertThat(Launcher.patience(options).idle()).isEqualTo(Duration.ofSeconds(600));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "9", "-1", "10000", "two"})
  void other_patience_is_refused(String given) {
    options.setProperty("cluster.start-seconds", given);
    assertThatThrownBy(() -> Launcher.patience(options))
        .hasMessage("cluster.start-seconds must be 10 to 9999, is " + given);
  }
}
