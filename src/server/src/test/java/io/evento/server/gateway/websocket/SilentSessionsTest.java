package io.evento.server.gateway.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SilentSessionsTest {

  @Test
  void a_session_ends_after_three_seconds_of_silence_and_five_without_hello() {
    assertThat(reason(2_900, 60_000, true, 0)).isEmpty();
    assertThat(reason(3_100, 60_000, true, 0)).hasValue("silent for 3.0 s");
    assertThat(reason(100, 4_900, false, 0)).isEmpty();
    assertThat(reason(100, 5_100, false, 0)).hasValue("no hello within 5.0 s");
  }

  @Test
  void a_node_with_too_little_cpu_bears_more_silence() {
    assertThat(reason(6_900, 60_000, true, 4_000)).isEmpty();
    assertThat(reason(7_100, 60_000, true, 4_000)).hasValue("silent for 7.0 s");
  }

  /** Who says nothing holds one of a few places, which those want who come back. */
  @Test
  void but_not_that_of_one_who_never_said_who_he_is() {
    assertThat(reason(100, 5_100, false, 4_000)).hasValue("no hello within 5.0 s");
  }

  private static Optional<String> reason(
      int silence, int age, boolean isGreeted, int patienceMillis) {
    return SilentSessions.reason(nanos(silence), nanos(age), isGreeted, nanos(patienceMillis));
  }

  private static long nanos(int millis) {
    return TimeUnit.MILLISECONDS.toNanos(millis);
  }
}
