package io.evento.server.console.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.evento.server.catalog.Ownership;
import io.evento.server.cluster.Drains;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.monitor.AlarmTable;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the charts say of what happened, from what the rooms keep anyway. */
class AnnotationsTest {
  private static final TestDatabase WHERE = PostgresFixture.shared().migrated();
  private static final Database DATABASE = new Database(NodeConfig.of(WHERE, "a"));
  private static final EntityManagers MANAGERS = new EntityManagers(DATABASE);
  private static final Annotations ANNOTATIONS =
      new Annotations(
          MANAGERS,
          new Ownership(DATABASE),
          new AlarmTable(DATABASE, NodeConfig.of(WHERE, "a")),
          new Drains(DATABASE));

  @BeforeAll
  static void fill() throws SQLException {
    try (var admin = WHERE.asAdmin();
        var statement = admin.createStatement()) {
      for (var sql :
          """
          insert into evento.node (name, incarnation, url, link_address, release, state, started_at, seen_at)
          values ('a', 'aaaaaaaa-0000-0000-0000-000000000000', '', '', '1', 'up', '2026-05-01T10:01Z', '2026-05-01T11:00Z'),
                 ('b', 'bbbbbbbb-0000-0000-0000-000000000000', '', '', '1', 'gone', '2026-04-01T00:00Z', '2026-05-01T10:02Z');
          insert into evento.node_drain (name, incarnation, asked_at, asked_by)
          values ('a', 'aaaaaaaa-0000-0000-0000-000000000000', '2026-05-01T10:03Z', 'ada'),
                 ('b', 'cccccccc-0000-0000-0000-000000000000', '2026-05-01T10:03Z', 'ada');
          insert into evento.alarm (kind, subject, severity, since, cause, details)
          values ('node-gone', 'c', 'critical', '2026-05-01T10:04Z', 'x', '{}'),
                 ('consumer-stuck', 'accounts:1', 'critical', '2026-05-01T10:04Z', 'x', '{}');
          insert into evento.consumer_audit (name, version, at, done_by, action, detail)
          values ('accounts', 1, '2026-05-01T10:05Z', 'ada', 'reset', 'x'),
                 ('accounts', 2, '2026-05-01T10:06Z', 'ada', 'switch', 'x'),
                 ('accounts', 1, '2026-05-01T10:06Z', 'ada', 'pause', 'x'),
                 ('accounts', 1, '2026-05-01T12:05Z', 'ada', 'reset', 'x');
          insert into evento.setting_audit (key, old_value, new_value, changed_at, changed_by)
          values ('live.stall-seconds', null, '9', '2026-05-01T10:07Z', 'ada');
          insert into evento.component_history (kind, name, version, at, action, bundle, done_by, detail)
          values ('aggregate', 'Account', 0, '2026-05-01T10:08Z', 'declare', 'bank', 'bundle', 'x'),
                 ('projector', 'accounts', 2, '2026-05-01T10:08:01Z', 'declare', 'bank', 'bundle', 'x'),
                 ('projector', 'accounts', 0, '2026-05-01T10:08:02Z', 'owner', 'bank', 'ada', 'x'),
                 ('saga', 'transfer', 3, '2026-05-01T10:09Z', 'declare', 'shop', 'bundle', 'x');
          """
              .split(";\n")) {
        statement.execute(sql);
      }
    }
  }

  @AfterAll
  static void close() {
    MANAGERS.close();
    DATABASE.close();
    WHERE.close();
  }

  @Test
  void nodes_consumers_settings_and_bundles_are_told_together_the_newest_first() {
    assertThat(
            ANNOTATIONS.between(
                OffsetDateTime.parse("2026-05-01T10:00:00Z"),
                OffsetDateTime.parse("2026-05-01T10:30:00Z")))
        .extracting(
            one -> one.at().substring(11, 19),
            one -> one.kind(),
            one -> one.subject(),
            one -> one.text())
        .containsExactly(
            tuple("10:09:00", "bundle-declared", "shop", "shop declared transfer 3"),
            tuple("10:08:00", "bundle-declared", "bank", "bank declared Account and 1 more"),
            tuple(
                "10:07:00",
                "setting-changed",
                "live.stall-seconds",
                "live.stall-seconds was the default, is 9"),
            tuple(
                "10:06:00",
                "consumer-switched",
                "accounts:2",
                "accounts 2 became the live version"),
            tuple("10:05:00", "consumer-reset", "accounts:1", "accounts 1 was reset"),
            tuple("10:04:00", "node-left", "c", "c went without a word"),
            tuple("10:03:00", "node-drained", "a", "a is drained"),
            tuple("10:02:00", "node-left", "b", "b has left"),
            tuple("10:01:00", "node-joined", "a", "a has joined"));
  }

  @Test
  void a_time_in_which_nothing_happened_has_none() {
    assertThat(
            ANNOTATIONS.between(
                OffsetDateTime.parse("2026-05-01T09:00:00Z"),
                OffsetDateTime.parse("2026-05-01T09:30:00Z")))
        .isEmpty();
  }
}
