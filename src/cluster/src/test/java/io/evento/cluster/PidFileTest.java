package io.evento.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.launcher.Launch;
import io.evento.launcher.Member;
import io.evento.launcher.Signal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PidFileTest {

  @TempDir private Path directory;
  private Path file;
  private Member left;

  @BeforeEach
  void start_a_process() {
    file = directory.resolve("pids");
    left =
        new Member(
            "left",
            "",
            new Launch(List.of("sleep", "120"), Map.of(), directory.resolve("log")),
            () -> true,
            Signal.TERM,
            new Silence());
    left.start();
  }

  @AfterEach
  void end_it() throws InterruptedException {
    left.kill();
  }

  @Test
  void what_an_earlier_run_left_behind_is_ended_by_the_next() throws Exception {
    new PidFile(file).write(List.of(left));

    assertThat(new PidFile(file).endLeftovers()).containsExactly("left");
    await().atMost(Duration.ofSeconds(10)).until(() -> left.pid().isEmpty());
    assertThat(file).doesNotExist();
  }

  @Test
  void a_frozen_process_is_ended_too() throws Exception {
    new PidFile(file).write(List.of(left));
    left.pause();

    assertThat(new PidFile(file).endLeftovers()).containsExactly("left");
  }

  @Test
  void a_stranger_that_got_the_same_number_is_spared() throws Exception {
    new PidFile(file).write(List.of(left));
    Files.writeString(file, Files.readString(file).replaceFirst(" 2", " 1"));

    assertThat(new PidFile(file).endLeftovers()).isEmpty();
    assertThat(left.pid()).isPresent();
  }

  @Test
  void when_nothing_runs_there_is_no_file() throws Exception {
    var pids = new PidFile(file);
    pids.write(List.of(left));
    left.stop(Duration.ofSeconds(10));
    pids.write(List.of(left));

    assertThat(file).doesNotExist();
  }

  static final class Silence implements Member.Watcher {

    @Override
    public void started(Member member) {}

    @Override
    public void endedByItself(Member member, int exitCode) {}

    @Override
    public void ended(Member member) {}
  }
}
