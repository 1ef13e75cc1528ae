package io.evento.server.eventstore.append;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendCondition;
import io.evento.server.eventstore.AppendCondition.Alternative;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.persistence.UncheckedSqlException;
import io.evento.testing.LossyLink;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Many callers on two nodes claim names and seats at once, each by a rule over several streams that
 * only its condition keeps: a name has one owner, an owner has one name, and a room no more guests
 * than seats.
 */
class ConditionStormTest {
  private static final int CALLERS = 24;
  private static final int CLAIMS = 60;
  private static final int NAMES = 250;
  private static final int OWNERS = 400;
  private static final int ROOMS = 12;
  private static final int SEATS = 9;

  private static final String DOUBLE =
      """
      select count(*) from (
        select t from evento.event e, unnest(e.tags) t where e.type = 'Claimed'
         group by t having count(*) > 1) x
      """;

  private static final String OVERBOOKED =
      """
      select count(*) from (
        select t from evento.event e, unnest(e.tags) t where e.type = 'Seated'
         group by t having count(*) > %d) x
      """
          .formatted(SEATS);

  private final AtomicInteger appended = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();
  private final AtomicInteger declined = new AtomicInteger();
  private final Map<UUID, Boolean> outcomes = new ConcurrentHashMap<>();

  @Test
  void rules_over_several_streams_hold_and_nobody_is_refused_for_nothing() throws Exception {
    try (var database = PostgresFixture.shared().migrated();
        var link = LossyLink.to(database.port(), 815);
        var a = StoreNode.start(database.through(link), "a");
        var b = StoreNode.start(database.through(link), "b")) {
      await().atMost(ofSeconds(10)).until(() -> a.appender.isReady() && b.appender.isReady());
      var callers = new ArrayList<Thread>();
      for (var i = 0; i < CALLERS; i++) {
        var seed = i;
        var node = i % 2 == 0 ? a : b;
        var caller = new Thread(() -> claim(node, new Random(seed)), "caller-" + i);
        callers.add(caller);
        caller.start();
      }
      link.lose(0.02);
      for (var caller : callers) {
        caller.join(TimeUnit.SECONDS.toMillis(90));
        assertThat(caller.isAlive()).as(caller.getName() + " still waits").isFalse();
      }
      link.lose(0);

      assertThat(count(database, DOUBLE)).as("names or owners twice").isZero();
      assertThat(count(database, OVERBOOKED)).as("rooms with too many guests").isZero();
      assertThat(outcomes).as("every claim ended").hasSize(CALLERS * CLAIMS);
      // Rooms are full in the end and names taken: whoever was declined had a reason.
      assertThat(count(database, "select count(*) from evento.event where type = 'Seated'"))
          .isEqualTo(ROOMS * SEATS);
      assertThat(appended.get()).isEqualTo(count(database, "select count(*) from evento.event"));
      assertThat(refused.get()).as("claims that met each other").isPositive();
      System.out.println(
          "conditions: appended="
              + appended
              + " refused and decided again="
              + refused
              + " declined="
              + declined);
    }
  }

  private void claim(StoreNode node, Random random) {
    for (var i = 0; i < CLAIMS; i++) {
      var id = UUID.randomUUID();
      var request =
          random.nextBoolean()
              ? new Claim(
                  "Claimed", 1, "name:" + random.nextInt(NAMES), "owner:" + random.nextInt(OWNERS))
              : new Claim("Seated", SEATS, "room:" + random.nextInt(ROOMS));
      outcomes.put(id, decide(node, id, request));
    }
  }

  /**
   * @param most events that may have one of the tags
   */
  private record Claim(String type, int most, String... tags) {
    List<Alternative> criteria() {
      return List.of(tags).stream()
          .map(tag -> new Alternative(List.of(type), List.of(tag)))
          .toList();
    }
  }

  /** Reads, decides, appends; again if something came between. */
  private boolean decide(StoreNode node, UUID id, Claim claim) {
    while (true) {
      try {
        return decideOnce(node, id, claim);
      } catch (UncheckedSqlException | CompletionException lost) {
        // A read that got lost says nothing; the claim goes on under its id.
        lost.addSuppressed(new IllegalStateException("claim " + id));
      } catch (Between again) {
        refused.incrementAndGet();
      }
    }
  }

  private static final class Between extends Exception {
    private static final long serialVersionUID = 1L;
  }

  private boolean decideOnce(StoreNode node, UUID id, Claim claim) throws Between {
    var model = node.criteria.read(claim.criteria()).orElseThrow();
    if (model.events().size() >= claim.most()) {
      declined.incrementAndGet();
      return false;
    }
    var appendRequest =
        AppendRequests.on("Claim:" + id, Tip.EMPTY)
            .id(id)
            .event(claim.type(), claim.tags())
            .when(new AppendCondition(model.at(), claim.criteria()))
            .events();
    var appendResult = StoreNode.await(node.appendConditions.append(appendRequest, ofSeconds(20)));
    if (appendResult instanceof AppendResult.Appended) {
      appended.incrementAndGet();
      return true;
    }
    assertThat(appendResult).isInstanceOf(AppendResult.ConditionBroken.class);
    throw new Between();
  }

  private static int count(TestDatabase database, String query) throws SQLException {
    try (var owner = database.asOwner();
        var row = owner.createStatement().executeQuery(query)) {
      row.next();
      return row.getInt(1);
    }
  }
}
