package io.evento.server.gateway.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.Json;
import io.evento.server.Threads;
import io.evento.server.cluster.StandardSettings;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.fixture.TestGrants;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.security.Caller;
import io.evento.server.security.OpenMode;
import io.evento.server.security.Role;
import io.evento.server.security.Shares;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Pages are told what is, by few threads, and for as long as they may be told. */
class TopicFeedsTest {
  private static final Duration SOON = Duration.ofSeconds(10);

  private final Threads threads = new Threads(Thread::new);
  private final Caller ada =
      new Caller(
          Caller.Kind.USER, "ada", Set.of(Role.VIEWER), List.of(), UUID.randomUUID(), "test");
  private TestDatabase place;
  private Database database;
  private EntityManagers managers;
  private Settings settings;
  private TestGrants grants;

  @BeforeEach
  void start() {
    place = PostgresFixture.shared().migrated();
    var config = NodeConfig.of(place, "topics");
    database = new Database(config);
    managers = new EntityManagers(database);
    settings = StandardSettings.of(database, managers, threads);
    grants = new TestGrants(database, threads, new OpenMode(config));
  }

  @AfterEach
  void stop() {
    threads.stop();
    managers.close();
    database.close();
    place.close();
  }

  private TopicFeeds feeds(LiveTopic... topics) {
    return new TopicFeeds(
        Stream.of(topics), new Shares(Setting::standard), grants, settings, threads, new Metrics());
  }

  private record Topic(String name, Supplier<CompletionStage<Json>> seen) implements LiveTopic {
    @Override
    public Duration every() {
      return Duration.ofSeconds(1);
    }

    @Override
    public CompletionStage<Json> look() {
      return seen.get();
    }
  }

  private static Topic quick(String name, String text) {
    return new Topic(name, () -> CompletableFuture.completedStage(new Json(text)));
  }

  @Test
  void topics_that_wait_for_other_nodes_keep_no_thread_from_the_others() throws Exception {
    var waiting =
        IntStream.range(0, 10)
            .mapToObj(i -> new Topic("w" + (char) ('a' + i), () -> new CompletableFuture<Json>()))
            .toList();
    var all =
        Stream.concat(waiting.stream(), Stream.of(quick("zebra", "{\"stripes\":1}")))
            .toArray(Topic[]::new);
    var feeds = feeds(all);
    var reader = new RecordedResponse();
    feeds.open(ada, Stream.of(all).map(Topic::name).toList(), reader.open(threads.timer()));

    await().atMost(SOON).until(() -> reader.text().contains("\"stripes\":1"));
  }

  @Test
  void a_look_that_nobody_ends_is_given_up_and_made_again() throws Exception {
    var looks = new AtomicInteger();
    var topic =
        new Topic(
            "lost",
            () ->
                looks.incrementAndGet() == 1
                    ? new CompletableFuture<>()
                    : CompletableFuture.completedStage(new Json("{\"found\":1}")));
    var feeds = feeds(topic);
    var reader = new RecordedResponse();
    feeds.open(ada, List.of("lost"), reader.open(threads.timer()));

    await().atMost(SOON).until(() -> reader.text().contains("\"found\":1"));
    assertThat(looks.get()).isGreaterThan(1);
  }

  @Test
  void who_has_no_stream_waits_for_other_nodes_without_a_thread() {
    var answer = new CompletableFuture<Json>();
    var feeds = feeds(new Topic("far", () -> answer));

    var now = feeds.now(List.of("far")).toCompletableFuture();
    assertThat(now).as("nobody has answered, and the caller goes on").isNotDone();
    answer.complete(new Json("{\"near\":true}"));
    await().atMost(SOON).until(now::isDone);
    assertThat(now.join()).containsEntry("far", new Json("{\"near\":true}"));
  }

  @Test
  void nothing_is_told_once_a_credential_is_revoked_be_the_revocation_told_yet_or_not()
      throws Exception {
    var secret = new CompletableFuture<Json>();
    var feeds = feeds(new Topic("secret", () -> secret));
    var reader = new RecordedResponse();
    feeds.open(ada, List.of("secret"), reader.open(threads.timer()));

    grants.revokeUntold(ada);
    secret.complete(new Json("{\"hidden\":1}"));
    await().atMost(SOON).until(reader::isOver);
    assertThat(reader.text()).contains("event: end", "\"revoked\"").doesNotContain("hidden");
    assertThat(feeds.count()).isZero();
  }
}
