package io.evento.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemberTest {

  private static final Duration SOON = Duration.ofSeconds(10);

  @TempDir private Path directory;
  private final List<String> heard = new CopyOnWriteArrayList<>();
  private final List<Member> started = new ArrayList<>();

  @AfterEach
  void end_them() throws InterruptedException {
    for (var member : started) {
      member.kill();
    }
  }

  @Test
  void a_process_that_dies_is_told_and_not_started_again() {
    var member = member("exit 7", () -> false);
    member.start();

    await().atMost(SOON).until(() -> heard.contains("ended"));
    assertThat(heard).containsExactly("started", "by itself 7", "ended");
    assertThat(member.pid()).isEmpty();
  }

  @Test
  void an_end_that_was_asked_for_is_no_news() throws Exception {
    var member = member("exec sleep 120", () -> true);
    member.start();
    member.stop(SOON);

    await().atMost(SOON).until(() -> heard.contains("ended"));
    assertThat(heard).containsExactly("started", "ended");
  }

  @Test
  void a_start_that_fails_shows_the_last_lines_of_the_log() {
    var member = member("for i in $(seq 40); do echo line $i; done; exit 1", () -> false);
    member.start();

    assertThatThrownBy(() -> member.awaitReady(SOON))
        .isInstanceOf(StartFailure.class)
        .hasMessageStartingWith("it ended before it was ready.")
        .hasMessageContaining("line 11\n")
        .hasMessageEndingWith("line 40")
        .message()
        .doesNotContain("line 10\n");
  }

  @Test
  void who_is_not_ready_in_time_is_judged_so() {
    var member = member("exec sleep 120", () -> false);
    member.start();

    assertThatThrownBy(() -> member.awaitReady(Duration.ofMillis(300)))
        .hasMessageStartingWith("it is not ready after 0 s.");
  }

  @Test
  void who_still_says_something_is_waited_for_and_who_falls_silent_is_not() {
    var member =
        member(
            "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.5; done; exec sleep 120", () -> false);
    member.start();

    var begun = System.nanoTime();
    assertThatThrownBy(
            () ->
                member.awaitReady(new StartPatience(Duration.ofSeconds(2), Duration.ofSeconds(60))))
        .hasMessageContaining(" s, and made no progress in the last 2 s.")
        .hasMessageEndingWith("\n8");
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThan(Duration.ofSeconds(4));
  }

  @Test
  void who_works_without_a_word_is_waited_for_and_not_for_ever() {
    var member = member("while true; do :; done", () -> false);
    member.start();

    assertThatThrownBy(
            () ->
                member.awaitReady(new StartPatience(Duration.ofSeconds(1), Duration.ofSeconds(3))))
        .hasMessageStartingWith("it is not ready after 3 s, and made no progress in the last 0 s.");
  }

  @Test
  void who_does_not_end_when_asked_is_killed() throws Exception {
    var member = member("trap '' TERM; while true; do sleep 1; done", () -> true);
    member.start();
    member.stop(Duration.ofMillis(300));

    assertThat(member.pid()).isEmpty();
  }

  @Test
  void a_frozen_process_is_woken_to_end() throws Exception {
    var member = member("exec sleep 120", () -> true);
    member.start();
    member.pause();
    member.stop(SOON);

    assertThat(member.pid()).isEmpty();
  }

  private Member member(String script, Readiness readiness) {
    var member =
        new Member(
            "it",
            "",
            new Launch(List.of("sh", "-c", script), Map.of(), directory.resolve("log")),
            readiness,
            Signal.TERM,
            new Notes());
    started.add(member);
    return member;
  }

  private final class Notes implements Member.Watcher {

    @Override
    public void started(Member member) {
      heard.add("started");
    }

    @Override
    public void endedByItself(Member member, int exitCode) {
      heard.add("by itself " + exitCode);
    }

    @Override
    public void ended(Member member) {
      heard.add("ended");
    }
  }
}
