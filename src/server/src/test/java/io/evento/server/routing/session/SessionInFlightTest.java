package io.evento.server.routing.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** What a session has, and how something is tried alone. */
class SessionInFlightTest {
  private final Set<Object> requests = ConcurrentHashMap.newKeySet();
  private final SessionInFlight sessionInFlight = new SessionInFlight(requests);
  private final List<String> begun = new CopyOnWriteArrayList<>();
  private int deepest;

  @Test
  void who_is_the_only_one_is_sole_and_of_two_nobody() {
    assertThat(sessionInFlight.sole()).isEmpty();
    requests.add("a");
    assertThat(sessionInFlight.sole()).contains("a");
    sessionInFlight.entered("segment");
    assertThat(sessionInFlight.sole()).isEmpty();
    requests.remove("a");
    assertThat(sessionInFlight.sole()).contains("segment");
  }

  @Test
  void a_trial_waits_until_nothing_else_is_there_and_nothing_enters_meanwhile() {
    requests.add("older");
    tryAlone("suspect");
    assertThat(begun).isEmpty();
    assertThat(sessionInFlight.isClosedTo("newcomer")).isTrue();
    var entered = new ArrayList<String>();
    assertThat(sessionInFlight.whenOpen(() -> entered.add("newcomer"))).isTrue();
    requests.remove("older");
    sessionInFlight.left("older");
    assertThat(begun).containsExactly("suspect");
    assertThat(sessionInFlight.isClosedTo("suspect")).isFalse();
    assertThat(sessionInFlight.sole()).contains("suspect");
    assertThat(entered).isEmpty();
    leave("suspect");
    assertThat(entered).containsExactly("newcomer");
    assertThat(sessionInFlight.isClosedTo("newcomer")).isFalse();
  }

  @Test
  void what_was_there_for_long_and_did_no_harm_is_no_company() {
    requests.add("never answered");
    tryAlone("suspect");
    await().atMost(Duration.ofSeconds(5)).until(() -> begun.contains("suspect"));
    assertThat(sessionInFlight.sole()).contains("suspect");
    requests.add("slipped in");
    assertThat(sessionInFlight.sole()).isEmpty();
  }

  @Test
  void between_two_trials_all_that_was_held_up_goes_on() {
    tryAlone("first");
    tryAlone("second");
    sessionInFlight.whenOpen(() -> begun.add("held"));
    assertThat(begun).containsExactly("first");
    leave("first");
    assertThat(begun).containsExactly("first", "held", "second");
  }

  @Test
  void who_withdraws_holds_nobody_up() {
    requests.add("older");
    tryAlone("first");
    tryAlone("second");
    sessionInFlight.whenOpen(() -> begun.add("held"));
    sessionInFlight.withdraw("second");
    sessionInFlight.withdraw("first");
    assertThat(begun).containsExactly("held");
    assertThat(sessionInFlight.isClosedTo("newcomer")).isFalse();
  }

  @Test
  void only_so_much_is_held_up() {
    tryAlone("suspect");
    var held = 0;
    while (held < 5_000 && sessionInFlight.whenOpen(() -> {})) {
      held++;
    }
    assertThat(held).isEqualTo(1_000);
  }

  @Test
  void only_so_many_wait_for_a_trial_and_those_nobody_awaits_any_more_are_passed_at_once() {
    requests.add("older");
    var waiting = 0;
    while (waiting < 5_000 && stale("suspect " + waiting)) {
      waiting++;
    }
    assertThat(waiting).as("one that is next, and those behind it").isEqualTo(1_001);
    requests.remove("older");
    sessionInFlight.left("older");
    assertThat(begun).hasSize(1_001);
    assertThat(deepest - depth()).as("frames below the last").isLessThan(30);
  }

  private static int depth() {
    return new Throwable().getStackTrace().length;
  }

  private boolean stale(String key) {
    return sessionInFlight.alone(
        key,
        () -> {
          begun.add(key);
          deepest = Math.max(deepest, depth());
          sessionInFlight.left(key);
        });
  }

  @Test
  void at_the_end_of_the_session_whoever_waits_hears_of_it() {
    requests.add("older");
    tryAlone("suspect");
    tryAlone("second");
    sessionInFlight.whenOpen(() -> begun.add("held"));
    sessionInFlight.end();
    assertThat(begun).containsExactlyInAnyOrder("suspect", "second", "held");
    assertThat(sessionInFlight.whenOpen(() -> begun.add("late"))).isTrue();
    assertThat(begun).contains("late");
  }

  private void tryAlone(String key) {
    sessionInFlight.alone(
        key,
        () -> {
          requests.add(key);
          begun.add(key);
        });
  }

  private void leave(String key) {
    requests.remove(key);
    sessionInFlight.left(key);
  }
}
