package io.evento.server.setting;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.Threads;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a setting is, who changed it, and what it would be. */
class SettingsTest {
  private static final String KEY = Setting.LIVE_READERS_MAX.key();
  private static final String OWN = Setting.SNAPSHOT_EVENTS.key();

  private TestDatabase where;
  private Threads threads;
  private Database database;
  private Settings settings;

  @BeforeEach
  void start() {
    where = PostgresFixture.shared().migrated();
    threads = new Threads(Thread::new);
    database = new Database(NodeConfig.of(where, "node-1"));
    settings =
        new Settings(
            database, new EntityManagers(database), threads, Map.of(Setting.SNAPSHOT_EVENTS, 77));
  }

  @AfterEach
  void stop() {
    threads.stop();
    database.close();
    where.close();
  }

  @Test
  void each_change_says_who_made_it_and_why_and_the_newest_comes_first() {
    assertThat(settings.lastChanges()).isEmpty();
    settings.set(KEY, 600, new Settings.Order("user ada", "more pages are open", null));
    settings.set(KEY, 700, new Settings.Order("user ada", null, null));
    settings.reset(KEY, new Settings.Order("user eva", "it was too many", null));

    assertThat(settings.history(KEY, Long.MAX_VALUE, 10))
        .extracting(
            change ->
                change.before() + " " + change.after() + " " + change.by() + " " + change.reason())
        .containsExactly(
            "700 null user eva it was too many",
            "600 700 user ada null",
            "null 600 user ada more pages are open");
    var second = settings.history(KEY, Long.MAX_VALUE, 2).get(1);
    assertThat(settings.history(KEY, second.id(), 10)).hasSize(1);
    assertThat(settings.lastChanges().keySet()).containsExactly(KEY);
    assertThat(requireNonNull(settings.lastChanges().get(KEY)).by()).isEqualTo("user eva");
  }

  @Test
  void a_change_that_did_not_see_the_last_one_is_refused_and_says_what_that_was() {
    settings.set(KEY, 600, new Settings.Order("user ada", null, 0L));
    var seen = requireNonNull(settings.lastChanges().get(KEY)).id();
    settings.set(KEY, 700, new Settings.Order("user eva", null, seen));

    for (var late : new Long[] {0L, seen}) {
      assertThatThrownBy(() -> settings.set(KEY, 800, new Settings.Order("user ada", null, late)))
          .hasMessage("user eva changed " + KEY + " meanwhile, from 600 to 700");
      assertThatThrownBy(() -> settings.reset(KEY, new Settings.Order("user ada", null, late)))
          .isInstanceOfSatisfying(
              EventoException.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.CONFLICT));
      assertThatThrownBy(() -> settings.would(KEY, 800L, late))
          .as("also of a dry run")
          .hasMessage("user eva changed " + KEY + " meanwhile, from 600 to 700");
    }
    var last = requireNonNull(settings.lastChanges().get(KEY)).id();
    assertThat(settings.would(KEY, 800L, last).value()).isEqualTo(800);
    assertThat(settings.get(KEY).value()).isEqualTo(700);
    assertThat(settings.history(KEY, Long.MAX_VALUE, 10)).hasSize(2);
  }

  @Test
  void what_is_no_number_keeps_nobody_from_seeing_the_rest() throws SQLException {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(
          "insert into evento.setting(key, value, changed_by) values ('%s', 'many', 'hand')"
              .formatted(KEY));
      statement.execute(
          "insert into evento.setting_audit(key, new_value, changed_by) values ('%s', 'many', 'hand')"
              .formatted(KEY));
    }
    settings.set(Setting.AUDIT_KEEP_DAYS.key(), 100, new Settings.Order("user ada", null, null));
    assertThat(settings.get(Setting.AUDIT_KEEP_DAYS)).isEqualTo(100);
    assertThat(settings.get(KEY).source()).isEqualTo(Settings.Source.DEFAULT);
    assertThat(requireNonNull(settings.lastChanges().get(KEY)).after()).isNull();
    assertThat(requireNonNull(settings.lastChanges().get(KEY)).by()).isEqualTo("hand");
  }

  @Test
  void what_a_setting_would_be_changes_nothing_and_a_nodes_own_value_wins() {
    assertThat(settings.would(KEY, 600L, null))
        .isEqualTo(new Settings.Value(Setting.LIVE_READERS_MAX, 600, Settings.Source.CLUSTER));
    assertThat(settings.would(OWN, 600L, null))
        .isEqualTo(new Settings.Value(Setting.SNAPSHOT_EVENTS, 77, Settings.Source.NODE));
    assertThat(settings.get(KEY).source()).isEqualTo(Settings.Source.DEFAULT);
    assertThat(settings.lastChanges()).isEmpty();
  }

  @Test
  void a_value_out_of_range_is_refused_at_its_field_also_of_a_dry_run() {
    for (var value : new long[] {-1, 100_001, Long.MAX_VALUE}) {
      assertThatThrownBy(() -> settings.would(KEY, value, null))
          .isInstanceOfSatisfying(
              EventoException.class,
              refused -> assertThat(refused.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
          .hasMessageContaining("from 0 to 100000");
      assertThatThrownBy(() -> settings.set(KEY, value, new Settings.Order("user ada", null, null)))
          .isInstanceOf(EventoException.class);
    }
    assertThatThrownBy(() -> settings.history("no.such", Long.MAX_VALUE, 1))
        .isInstanceOfSatisfying(
            EventoException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.NOT_FOUND));
  }
}
