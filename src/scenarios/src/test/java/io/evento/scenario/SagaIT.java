package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.gateway.CommandOptions;
import io.evento.protocol.Scheduled;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Door;
import io.evento.scenario.workload.SagaBundle;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Sagas, observers and messages for later on real nodes that are killed and frozen meanwhile. */
@Tag("I6")
class SagaIT {
  private static final int WALKS = 300;
  private static final Duration ALL_MAX = Duration.ofSeconds(90);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  @AfterEach
  void everybody_is_back() throws Exception {
    cluster.heal();
  }

  @Test
  void each_command_of_a_saga_is_stored_once_though_nodes_and_bundles_die() throws Exception {
    var run = UUID.randomUUID().toString().substring(0, 8);
    try (var steady = SagaBundle.start(cluster)) {
      var leaving = SagaBundle.start(cluster);
      var started = new ArrayList<CompletableFuture<?>>();
      for (var i = 0; i < WALKS; i++) {
        started.add(start(steady, run + "-" + i, i % 10 == 0));
        if (i == WALKS / 3) {
          cluster.node(2).kill();
        }
        if (i == WALKS / 2) {
          leaving.close();
          cluster.node(3).pause();
        }
        TimeUnit.MILLISECONDS.sleep(20); // the pace of the load, no wait for anything
      }
      CompletableFuture.allOf(started.toArray(CompletableFuture[]::new)).get(60, TimeUnit.SECONDS);
      await("the frozen node has no lease any more")
          .atMost(ALL_MAX)
          .until(
              () ->
                  number(
                          "consumer_segment where owner = '"
                              + cluster.node(3).id()
                              + "' and lease_until > clock_timestamp()")
                      == 0);
      cluster.node(3).resume();
      cluster.start(cluster.node(2));

      await("all walks ended")
          .atMost(ALL_MAX)
          .pollInterval(Duration.ofMillis(500))
          .until(() -> ended(run) == WALKS);
      await("all greeted").atMost(ALL_MAX).until(() -> streams(run, "Greeting:end-") == WALKS);
      await("nothing on its way")
          .atMost(ALL_MAX)
          .until(() -> number("consumer_command where name in ('walks', 'greeters')") == 0);
    }
    var stuck = WALKS / 10;
    assertThat(events(run, "WalkEnded")).as("each ended once").isEqualTo(WALKS);
    assertThat(ends(run, "hung")).as("by their deadline").isEqualTo(stuck);
    assertThat(ends(run, "no-such-round")).as("by an outcome").isEqualTo(WALKS - stuck);
    assertThat(events(run, "Stamped")).isEqualTo((long) (WALKS - stuck) * SagaBundle.ROUNDS);
    assertThat(streamsOf(run, "StampCard:card-", SagaBundle.ROUNDS))
        .as("cards with one stamp of each round, in order")
        .isEqualTo(WALKS - stuck);
    assertThat(events(run, "Greeted")).as("each command of the observer once").isEqualTo(WALKS);
    assertThat(stale(run)).as("states that name a decision that was not stored").isZero();
  }

  @Test
  void of_messages_around_one_second_each_has_one_effect_and_none_is_early() throws Exception {
    sendAroundOneSecond(2_000, Duration.ofSeconds(10));
  }

  @Test
  @Tag("soak")
  void of_ten_thousand_messages_around_one_second_each_has_one_effect_and_none_is_early()
      throws Exception {
    sendAroundOneSecond(10_000, Duration.ofSeconds(25));
  }

  /**
   * @param lead until that second, in which all have to be scheduled
   */
  private static void sendAroundOneSecond(int messages, Duration lead) throws Exception {
    var run = UUID.randomUUID().toString().substring(0, 8);
    var second = Instant.EPOCH;
    try (var bundle = SagaBundle.start(cluster)) {
      second = now().plus(lead);
      var scheduled = new ArrayList<CompletableFuture<Scheduled>>();
      for (var i = 0; i < messages; i++) {
        var options =
            CommandOptions.options().withId(UUID.randomUUID()).within(Duration.ofSeconds(30));
        var command = new SagaBundle.Greet(run + "-" + i);
        scheduled.add(
            bundle
                .bundle()
                .commands()
                .scheduleAsync(command, second.plusMillis(i % 1_000), options)
                .toCompletableFuture());
        if (i % 200 == 199) {
          CompletableFuture.allOf(scheduled.toArray(CompletableFuture[]::new))
              .get(30, TimeUnit.SECONDS);
        }
      }
      assertThat(now()).as("all were scheduled in time").isBefore(second);
      var begins = second;
      await("the second has come").atMost(ALL_MAX).until(() -> !now().isBefore(begins));
      cluster.node(1).kill();
      await("some are through").atMost(ALL_MAX).until(() -> events(run, "Greeted") > messages / 20);
      cluster.node(2).kill();
      cluster.start(cluster.node(1));

      await("all have their effect")
          .atMost(ALL_MAX)
          .pollInterval(Duration.ofMillis(500))
          .until(() -> streams(run, "Greeting:") == messages);
      await("nothing waits")
          .atMost(ALL_MAX)
          .until(() -> number("scheduled_message where kind = 'command' and type = 'Greet'") == 0);
      var took = Duration.between(second, latest(run));
      System.out.println(
          "[figures] "
              + messages
              + " scheduled messages around one second, two nodes killed: the last one "
              + took.toMillis()
              + " ms after the second began");
    }
    assertThat(events(run, "Greeted")).as("one effect each").isEqualTo(messages);
    assertThat(early(run, second)).as("before their time").isZero();
  }

  @Test
  void an_operator_sees_where_a_saga_stands_what_is_sent_and_what_is_scheduled() throws Exception {
    var walk = "seen-" + UUID.randomUUID();
    var door = cluster.door(cluster.node(1));
    try (var bundle = SagaBundle.start(cluster)) {
      bundle.bundle().commands().send(new SagaBundle.StartWalk(walk, true));
      var saga =
          await("saga").until(() -> door.get("sagas/walks/1/" + walk), Answer::isSuccess).body();
      assertThat(saga.at("/saga/state/walkId").asText()).isEqualTo(walk);
      assertThat(saga.at("/deadlines/0/name").asText()).isEqualTo("hang");
      assertThat(door.get("sagas/walks/1?state=living&limit=1000").body().path("sagas").toString())
          .contains(walk);
      assertThat(door.get("sagas/walks/1/none").code()).isEqualTo("not-found");
      assertThat(door.get("outbox").status()).isEqualTo(200);

      var id = UUID.randomUUID();
      var body = "{\"greetingId\":\"" + walk + "\"}";
      var made = schedule(door, "Greet?after=PT1H", body, id);
      assertThat(made.status()).as("%s", made.body()).isEqualTo(201);
      assertThat(made.body().path("commandId").asText()).isEqualTo(id.toString());
      var elsewhere = cluster.door(cluster.node(2));
      assertThat(schedule(elsewhere, "Greet?after=PT1S", body, id).body()).isEqualTo(made.body());
      assertThat(schedule(elsewhere, "Greet?after=PT1S", "{\"greetingId\":\"x\"}", id).code())
          .isEqualTo("id-reused");
      assertThat(schedule(door, "Nonsense?after=PT1S", "{}", id).code()).isEqualTo("unknown-type");
      assertThat(schedule(door, "Greet?after=soon", body, id).code()).isEqualTo("invalid-request");
      assertThat(schedule(door, "Greet", body, id).code()).isEqualTo("invalid-request");
      assertThat(schedule(door, "Greet?at=yesterday", body, id).code())
          .isEqualTo("invalid-request");
      assertThat(schedule(door, "Greet?after=PT1S", "{}", id).code()).isEqualTo("invalid-request");
      assertThat(elsewhere.get("schedules/" + id).body()).isEqualTo(made.body());
      assertThat(elsewhere.get("schedules?type=Greet&limit=1000").body().toString())
          .contains(id.toString());
      assertThat(bundle.bundle().commands().scheduled(null, 1_000))
          .extracting(Scheduled::commandId)
          .contains(id);
      assertThat(cancel(elsewhere, id).status()).isEqualTo(204);
      assertThat(cancel(door, id).code()).isEqualTo("not-found");
      await("ended").atMost(ALL_MAX).until(() -> ended(walk) == 1);
    }
  }

  private static Answer schedule(Door door, String path, String body, UUID id)
      throws InterruptedException {
    return door.post(
        "schedules/" + path, body, Duration.ofSeconds(10), "Idempotency-Key", id.toString());
  }

  private static Answer cancel(Door door, UUID id) throws InterruptedException {
    return door.send("DELETE", "schedules/" + id, "", Duration.ofSeconds(10));
  }

  private static CompletableFuture<?> start(SagaBundle bundle, String walk, boolean isStuck) {
    return bundle
        .bundle()
        .commands()
        .sendAsync(
            new SagaBundle.StartWalk(walk, isStuck),
            CommandOptions.options().within(Duration.ofSeconds(50)))
        .toCompletableFuture();
  }

  // ---- what is stored

  private static long events(String run, String type) throws SQLException {
    return number(
        "event where type = '%s' and context = 'walk' and stream_id like '%%%s%%'"
            .formatted(type, run));
  }

  private static long ends(String run, String how) throws SQLException {
    return number(
        "event where type = 'WalkEnded' and payload like '%%\"%s\"%%' and stream_id like '%%%s%%'"
            .formatted(how, run));
  }

  private static long ended(String run) throws SQLException {
    return number(
        "saga_state where name = 'walks' and key like '%s%%' and ended_at is not null"
            .formatted(run));
  }

  private static long streams(String run, String prefix) throws SQLException {
    return number(
        "(select distinct stream_id from evento.event where stream_id like '%s%s%%') s"
            .formatted(prefix, run));
  }

  private static long streamsOf(String run, String prefix, int rounds) throws SQLException {
    return number(
        """
        (select stream_id from evento.event where stream_id like '%s%s%%'
          group by stream_id
         having string_agg(payload::json->>'round', ',' order by version)
                = (select string_agg(n::text, ',') from generate_series(1, %d) n)) s
        """
            .formatted(prefix, run, rounds));
  }

  /** The dice that a state remembers are those of the last stamp: of the decision that counted. */
  private static long stale(String run) throws SQLException {
    return number(
        """
        saga_state s
         where s.key like '%s%%' and s.state::json->>'lastDice' <> '0'
           and not exists (select from evento.event e
                            where e.stream_id = 'StampCard:card-' || s.key
                              and e.payload::json->>'dice' = s.state::json->>'lastDice')
        """
            .formatted(run));
  }

  /** Message i of a run was due i mod 1,000 ms after its second began. */
  private static long early(String run, Instant second) throws SQLException {
    return number(
        """
        event e
         where e.stream_id like 'Greeting:%s-%%'
           and e.recorded_at < timestamptz '%s'
               + (substring(e.stream_id from '-([0-9]+)$')::int %% 1000) * interval '1 millisecond'
        """
            .formatted(run, second));
  }

  private static Instant latest(String run) throws SQLException {
    return time(
        "select max(recorded_at) from evento.event where stream_id like 'Greeting:%s-%%'"
            .formatted(run));
  }

  private static Instant now() throws SQLException {
    return time("select clock_timestamp()");
  }

  private static Instant time(String query) throws SQLException {
    try (var connection = cluster.postgres().administrator();
        var select = connection.createStatement();
        var row = select.executeQuery(query)) {
      row.next();
      return row.getObject(1, java.time.OffsetDateTime.class).toInstant();
    }
  }

  private static long number(String from) throws SQLException {
    try (var connection = cluster.postgres().administrator();
        var select = connection.createStatement();
        var row = select.executeQuery("select count(*) from " + qualified(from))) {
      row.next();
      return row.getLong(1);
    }
  }

  private static String qualified(String from) {
    return from.startsWith("(") ? from : "evento." + from;
  }
}
