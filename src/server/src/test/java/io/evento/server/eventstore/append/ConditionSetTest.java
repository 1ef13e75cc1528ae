package io.evento.server.eventstore.append;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendCondition;
import io.evento.server.eventstore.AppendCondition.Alternative;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.testing.PostgresFixture;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The store judges the conditions of a batch as one would who looks at each event in turn. */
class ConditionSetTest {
  private static final int BATCHES = 120;
  private static final List<String> TAGS = List.of("a", "b", "c", "d", "e", "f,\"{}", "rare");
  private static final List<String> TYPES = List.of("T1", "T2", "T3");

  private final Random random = new Random(20261129);
  private final List<Stored> model = new ArrayList<>();

  private record Stored(String type, Set<String> tags) {
    boolean meets(Alternative one) {
      return tags.containsAll(one.tags()) && (one.types() == null || one.types().contains(type));
    }
  }

  @Test
  void random_batches_are_judged_and_stored_as_a_naive_model_does() throws SQLException {
    try (var where = PostgresFixture.shared().migrated()) {
      var database = new Database(NodeConfig.of(where, "a"));
      try (var connection = AppendConnection.open(database)) {
        var epoch = AppendFunction.run(connection, null, 0, List.of()).epoch();
        var seen = new int[3];
        for (var i = 0; i < BATCHES; i++) {
          var batch = batch(epoch);
          var base = model.size();
          var expected = judged(batch, epoch);
          var answer = AppendFunction.run(connection, null, 0, batch);
          assertThat(answer.base()).isEqualTo(base);
          var results = BatchResult.of(answer, batch, false).results();
          assertThat(results.stream().map(ConditionSetTest::told)).isEqualTo(expected);
          for (var said : expected) {
            seen[said.startsWith("broken") ? 0 : said.startsWith("stored") ? 1 : 2]++;
          }
        }
        assertThat(stored(connection)).isEqualTo(model);
        assertThat(seen)
            .as("broken, stored, others")
            .satisfies(
                all -> {
                  for (var each : all) {
                    assertThat(each).isGreaterThan(BATCHES / 2);
                  }
                });
      } finally {
        database.close();
      }
    }
  }

  /** One after the other: those without a condition, then the others, each seeing all before it. */
  private List<String> judged(List<AppendRequest> batch, UUID epoch) {
    var said = new ArrayList<String>();
    for (var appendRequest : batch) {
      var appendCondition = appendRequest.condition();
      var broken = appendCondition == null ? 0 : firstMatch(appendCondition);
      if (!appendRequest.bases().get(0).tip().equals(Tip.EMPTY)) {
        said.add("stale");
      } else if (appendCondition != null && !appendCondition.after().epoch().equals(epoch)) {
        said.add("epoch");
      } else if (broken > 0) {
        said.add("broken " + broken);
      } else if (appendRequest.kind() != OutcomeKind.EVENTS) {
        said.add("kept " + model.size());
      } else {
        said.add("stored " + (model.size() + 1));
        appendRequest
            .events()
            .forEach(event -> model.add(new Stored(event.type(), Set.copyOf(event.tags()))));
      }
    }
    return said;
  }

  private int firstMatch(AppendCondition appendCondition) {
    for (var i = (int) appendCondition.after().position(); i < model.size(); i++) {
      var event = model.get(i);
      if (appendCondition.alternatives().stream().anyMatch(event::meets)) {
        return i + 1;
      }
    }
    return 0;
  }

  private static String told(AppendResult appendResult) {
    if (appendResult instanceof AppendResult.Appended appended) {
      return "stored " + appended.first().position();
    }
    if (appendResult instanceof AppendResult.Kept kept) {
      return "kept " + kept.seen().position();
    }
    if (appendResult instanceof AppendResult.ConditionBroken broken) {
      return "broken " + broken.by().position();
    }
    return appendResult instanceof AppendResult.Stale ? "stale" : "epoch";
  }

  private List<AppendRequest> batch(UUID epoch) {
    var batch = new ArrayList<AppendRequest>();
    // One call speaks of one epoch.
    var said = random.nextInt(15) == 0 ? UUID.randomUUID() : epoch;
    for (var i = random.nextInt(14); i >= 0; i--) {
      var isStale = random.nextInt(12) == 0;
      var request =
          AppendRequests.on("S:" + UUID.randomUUID(), isStale ? new Tip(3, 5) : Tip.EMPTY);
      if (random.nextInt(5) < 3) {
        request = request.when(condition(said));
      }
      if (random.nextInt(6) == 0) {
        batch.add(request.rejected());
        continue;
      }
      for (var events = random.nextInt(3); events >= 0; events--) {
        request.event(one(TYPES), some(TAGS, 3).toArray(String[]::new));
      }
      batch.add(request.events());
    }
    batch.sort(Comparator.comparing(appendRequest -> appendRequest.condition() != null));
    return batch;
  }

  private AppendCondition condition(UUID epoch) {
    var alternatives = new ArrayList<Alternative>();
    for (var i = random.nextInt(3); i >= 0; i--) {
      var types = random.nextBoolean() ? null : some(TYPES, 2);
      var tags = random.nextInt(8) == 0 ? List.<String>of() : some(TAGS, 3);
      alternatives.add(
          new Alternative(types, tags.isEmpty() && types == null ? List.of("rare") : tags));
    }
    if (random.nextInt(40) == 0) {
      alternatives.add(new Alternative(null, List.of()));
    }
    var back = random.nextInt(10) == 0 ? 60 : random.nextInt(8);
    return new AppendCondition(
        new StorePosition(epoch, Math.max(0, model.size() - back)), alternatives);
  }

  private String one(List<String> of) {
    return of.get(random.nextInt(of.size()));
  }

  private List<String> some(List<String> of, int most) {
    var shuffled = new ArrayList<>(of);
    Collections.shuffle(shuffled, random);
    return List.copyOf(shuffled.subList(0, random.nextInt(most + 1)));
  }

  private static List<Stored> stored(Connection connection) throws SQLException {
    try (var statement = connection.createStatement();
        var rows =
            statement.executeQuery("select type, tags from evento.event order by position")) {
      var all = new ArrayList<Stored>();
      while (rows.next()) {
        all.add(new Stored(rows.getString(1), Set.of((String[]) rows.getArray(2).getArray())));
      }
      return all;
    }
  }
}
