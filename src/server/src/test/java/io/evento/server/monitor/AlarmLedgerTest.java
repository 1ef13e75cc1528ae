package io.evento.server.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.Json;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class AlarmLedgerTest {
  private final AlarmLedger ledger = new AlarmLedger();

  private static Finding skew(String cause) {
    return new Finding(AlarmKind.VERSION_SKEW, "", cause, Map.of());
  }

  private static Finding gone(String node) {
    return new Finding(AlarmKind.NODE_GONE, node, "Node " + node + " went", Map.of());
  }

  private static Alarm active(long id, Finding finding) {
    return new Alarm(
        id,
        finding.kind().wire(),
        finding.subject(),
        "critical",
        OffsetDateTime.now(),
        null,
        finding.cause(),
        Json.EMPTY_OBJECT);
  }

  private AlarmLedger.Decision decide(int second, List<Finding> found, Alarm... active) {
    return ledger.decide(found, Set.of(), List.of(active), TimeUnit.SECONDS.toNanos(second));
  }

  @Test
  void what_can_wait_is_raised_once_it_was_seen_for_long_and_says_since_when() {
    assertThat(decide(0, List.of(skew("a"))).isEmpty()).isTrue();
    assertThat(decide(119, List.of(skew("a"))).isEmpty()).isTrue();
    assertThat(decide(120, List.of(skew("b"))).raised())
        .containsExactly(Map.entry(skew("b"), Duration.ofSeconds(120)));
  }

  @Test
  void what_comes_and_goes_before_that_is_never_raised() {
    for (var second = 0; second < 400; second += 10) {
      var found = second % 100 == 0 ? List.<Finding>of() : List.of(skew("a"));
      assertThat(decide(second, found).isEmpty()).isTrue();
    }
  }

  @Test
  void what_cannot_wait_is_raised_at_once_and_only_once() {
    assertThat(decide(0, List.of(gone("node-1"), gone("node-1"))).raised())
        .containsOnlyKeys(gone("node-1"));
    assertThat(decide(5, List.of(gone("node-1")), active(7, gone("node-1"))).isEmpty()).isTrue();
  }

  @Test
  void an_alarm_ends_once_it_was_not_seen_for_long() {
    var alarm = active(7, skew("a"));
    assertThat(decide(0, List.of(), alarm).ended()).isEmpty();
    assertThat(decide(5, List.of(skew("a")), alarm).ended()).isEmpty();
    assertThat(decide(10, List.of(), alarm).ended()).isEmpty();
    assertThat(decide(19, List.of(), alarm).ended()).isEmpty();
    assertThat(decide(20, List.of(), alarm).ended()).containsExactly(7L);
  }

  @Test
  void an_alarm_tells_the_newest_sentence() {
    var decision = decide(0, List.of(skew("b")), active(7, skew("a")));
    assertThat(decision.changed()).containsExactly(Map.entry(7L, skew("b")));
    assertThat(decision.raised()).isEmpty();
  }

  @Test
  void while_a_kind_cannot_be_told_its_alarms_stay() {
    var alarm = active(7, skew("a"));
    for (var second = 0; second < 100; second += 5) {
      var decision =
          ledger.decide(
              List.of(), Set.of("version-skew"), List.of(alarm), TimeUnit.SECONDS.toNanos(second));
      assertThat(decision.isEmpty()).isTrue();
    }
  }

  @Test
  void what_a_newer_release_raised_stays() {
    var alarm =
        new Alarm(
            7, "of-tomorrow", "", "warning", OffsetDateTime.now(), null, "x", Json.EMPTY_OBJECT);
    assertThat(decide(0, List.of(), alarm).isEmpty()).isTrue();
    assertThat(decide(1_000, List.of(), alarm).isEmpty()).isTrue();
  }
}
