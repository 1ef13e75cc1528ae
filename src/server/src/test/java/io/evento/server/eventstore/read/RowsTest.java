package io.evento.server.eventstore.read;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.eventstore.append.CommandResultRow;
import io.evento.server.persistence.EntityManagers;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Pages read through JPA what the append wrote. */
class RowsTest {
  private static TestDatabase database;
  private static StoreNode node;
  private static EntityManagers managers;

  @BeforeAll
  static void start() {
    database = PostgresFixture.shared().migrated();
    node = StoreNode.start(database, "a");
    managers = new EntityManagers(node.database);
  }

  @AfterAll
  static void stop() {
    managers.close();
    node.close();
    database.close();
  }

  @Test
  void events_outcomes_snapshots_and_epochs_are_read() {
    var appendRequest =
        AppendRequests.on("Account:1", Tip.EMPTY).body("7").event("Opened", "a\"b", "c").events();
    var done = (AppendResult.Appended) node.append(appendRequest);
    var tip = done.tips().get(0);
    var rejection = AppendRequests.on("Account:1", tip).body("{}").rejected();
    node.append(rejection);
    node.snapshots.store("Account:1", tip, "v1", "{\"balance\":0}");

    var event = managers.read(manager -> manager.find(EventRow.class, done.first().position()));
    assertThat(event.stream()).isEqualTo("Account:1");
    assertThat(event.tags()).containsExactly("a\"b", "c");
    assertThat(event.commandId()).isEqualTo(appendRequest.commandId());
    assertThat(event.answer()).isEqualTo("7");
    assertThat(event.recordedAt().toInstant()).isEqualTo(done.recordedAt());

    var kept =
        managers.read(manager -> manager.find(CommandResultRow.class, rejection.commandId()));
    assertThat(kept.kind()).isEqualTo(OutcomeKind.REJECTED);
    assertThat(kept.stream()).isEqualTo("Account:1");

    var snapshot = managers.read(manager -> manager.find(SnapshotRow.class, "Account:1"));
    assertThat(snapshot.tip()).isEqualTo(tip);
    assertThat(snapshot.state()).isEqualTo("{\"balance\":0}");

    var epoch = managers.read(manager -> manager.find(StoreEpochRow.class, 1));
    assertThat(epoch.id()).isEqualTo(done.first().epoch());
  }
}
