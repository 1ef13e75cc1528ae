package io.evento.server.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.server.gateway.WholeNode;
import io.evento.server.security.Actor;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * How long a run takes, at the standard pace: 10 million positions in 10 minutes at most. {@code
 * -Dverify.events} says how many there are.
 */
@Tag("soak")
class VerifySpeedTest {
  private static final int MILLION = 1_000_000;
  private static final int EVENTS = Integer.getInteger("verify.events", MILLION);

  @Test
  void a_million_positions_are_verified_within_a_minute() throws Exception {
    try (var store = new FilledStore(20_000)) {
      for (var left = EVENTS; left > 0; left -= MILLION) {
        store.add(Math.min(left, MILLION));
      }
      var before = System.nanoTime();
      store.chained();
      var chained = (System.nanoTime() - before) / 1e9;
      try (var node = WholeNode.start(store.where, "node-1", Map.of(), Map.of())) {
        node.get(VerifyRunner.class).start();
        var verification = node.get(Verification.class);
        var id = verification.start(null, null, new Actor("user ada", "node-1", "")).id();
        var minutes = Math.max(1, EVENTS / MILLION);
        await()
            .atMost(Duration.ofMinutes(5L * minutes))
            .until(() -> !verification.find(id).isRunning());
        var run = verification.find(id);
        System.getLogger(VerifySpeedTest.class.getName())
            .log(
                System.Logger.Level.INFO,
                "{0} events chained in {1} s, verified in {2} s",
                EVENTS,
                chained,
                run.seconds());
        assertThat(run.counts().findings()).isZero();
        assertThat(run.counts().events()).isEqualTo(EVENTS);
        assertThat(run.seconds()).isLessThan(60.0 * minutes);
      }
    }
  }
}
