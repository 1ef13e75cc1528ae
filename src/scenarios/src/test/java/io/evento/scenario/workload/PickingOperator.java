package io.evento.scenario.workload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.launcher.Member;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.ConsumerDoor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Has the versions of the picking saga change places, and keeps what was said to that. */
public final class PickingOperator implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration SWITCH_MAX = Duration.ofSeconds(60);

  private final Cluster cluster;
  private final PickingBooks books;
  private final String reason;
  private final String origin;
  private final List<String> told = new ArrayList<>();
  private final ExecutorService thread = Executors.newSingleThreadExecutor();

  /**
   * @param reason what the audit is to say
   * @param seed for the failures' texts
   */
  public PickingOperator(Cluster cluster, PickingBooks books, String reason, long seed) {
    this.cluster = cluster;
    this.books = books;
    this.reason = reason;
    this.origin = "seed=" + seed + " run=" + reason + " ";
  }

  public ConsumerDoor version(Member node, int version) {
    return ConsumerDoor.at(cluster, node, PickingBundle.SAGA, version);
  }

  /** What a switch would do; nothing is done. */
  public String trySwitch(int version, Member asked) throws InterruptedException {
    var tried = version(asked, version).post("switch?dryRun=true", "{}");
    assertThat(tried.status()).as("%s %s", tried.body(), story()).isEqualTo(200);
    assertThat(tried.body().path("dryRun").asBoolean()).as(story()).isTrue();
    return tried.body().path("detail").asText();
  }

  public void switchTo(int version, Member asked) throws InterruptedException {
    keep(ask(version, asked), asked);
  }

  public void switchWhileANodeIsKilled(int version, Member asked, Member victim) throws Exception {
    var answer = askInTheBackground(version, asked);
    victim.kill();
    keep(answer.get(SWITCH_MAX.toSeconds(), TimeUnit.SECONDS), asked);
  }

  /** It wakes when another node has done what it was at. */
  public void switchWhileTheAskedNodeIsFrozen(int version, Member asked, Member other)
      throws Exception {
    var late = askInTheBackground(version, asked);
    asked.pause();
    try {
      var answer =
          await("another node switches " + story())
              .atMost(SWITCH_MAX)
              .until(() -> ask(version, other), said -> said.isSuccess() || isLive(said));
      if (answer.isSuccess()) {
        keep(answer, other);
      }
    } finally {
      asked.resume();
    }
    var woken = late.get(SWITCH_MAX.toSeconds(), TimeUnit.SECONDS);
    told.add(asked + " woke: " + woken.status() + " " + detail(woken));
  }

  /** Returns once both versions are about to change places. */
  private Future<Answer> askInTheBackground(int version, Member asked) {
    var answer = thread.submit(() -> ask(version, asked));
    await("a switch that is under way " + story())
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(5))
        .until(() -> answer.isDone() || books.isSwitching());
    return answer;
  }

  private Answer ask(int version, Member asked) throws InterruptedException {
    return version(asked, version).post("switch", "{\"reason\":\"" + reason + "\"}");
  }

  private void keep(Answer answer, Member asked) {
    assertThat(answer.status()).as("%s %s %s", asked, answer.body(), story()).isEqualTo(200);
    told.add(asked + ": " + detail(answer));
  }

  private static boolean isLive(Answer said) {
    return detail(said).contains("is live already");
  }

  private static String detail(Answer said) {
    return said.body().path("detail").asText();
  }

  /** The answers, in order. */
  public List<String> told() {
    return List.copyOf(told);
  }

  /** Where a run came from and what was done, for the failures' texts. */
  public String story() {
    return origin + told;
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
