package io.evento.server.consumer.shadow;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.segment.ConsumerId;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What shadows hold is bounded: which held commands are forgotten. Version 1 is live and has
 * handled everything up to position 100.
 */
class ComparisonTableTest {
  private static final ConsumerId SHADOW = new ConsumerId("greeting", 2);
  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private ConsumerNode node;
  private int held;

  @BeforeEach
  void declare() throws SQLException {
    node = cluster.idle("a");
    cluster.execute(
        """
        insert into evento.consumer (name, version, kind, contexts, types, start, role)
        values ('greeting', 1, 'saga', '{}', '{}', 'beginning', 'live'),
               ('greeting', 2, 'saga', '{}', '{}', 'beginning', 'shadow')
        """);
    cluster.execute(
        """
        insert into evento.consumer_segment
               (name, version, segment, first_slot, last_slot, checkpoint, epoch)
        values ('greeting', 1, 0, 0, 127, 100, gen_random_uuid()),
               ('greeting', 2, 0, 0, 127, 200, gen_random_uuid())
        """);
  }

  @Test
  void of_what_a_shadow_alone_decided_the_newest_stay_and_the_others_are_counted()
      throws SQLException {
    for (var age = 5; age >= 1; age--) {
      hold(about(10 + age), "created_at = now() - " + age + " * interval '1 minute'");
    }
    node.comparisons.forgetBeyond(2);
    assertThat(left()).containsExactly("Greet-11", "Greet-12");
    assertThat(comparison().discarded()).isEqualTo(3);

    node.comparisons.forgetBeyond(2);
    assertThat(left()).hasSize(2);
    assertThat(comparison().discarded()).isEqualTo(3);
  }

  @Test
  void what_was_not_looked_for_long_enough_or_has_its_outcome_is_not_forgotten()
      throws SQLException {
    hold(about(10), "attempts = 9");
    hold(about(11), "settled_at = now(), outcome = '{}'");
    hold(about(12), "attempts = 10");
    node.comparisons.forgetBeyond(0);
    assertThat(left()).containsExactly("Greet-10", "Greet-11");
  }

  @Test
  void what_a_switch_would_send_as_the_live_version_has_not_handled_it_is_not_forgotten()
      throws SQLException {
    hold(about(100), "key = 'handled'");
    hold(about(101), "key = 'beyond its checkpoint'");

    hold(about(20), "key = 'among its dead letters'");
    cluster.execute(
        """
        insert into evento.dead_letter (name, version, sequence_key, slot, position, command_id,
                                        type)
        values ('greeting', 1, 'k', 0, 20, gen_random_uuid(), 'MoneyDeposited')
        """);

    var sent = UUID.randomUUID();
    hold("origin_outcome = '" + sent + "'", "key = 'its outcome waits'");
    cluster.execute(
        """
        insert into evento.consumer_command
               (id, name, version, key, slot, born, type, payload, correlation, hear, next_at)
        values ('%s', 'greeting', 1, 'k', 0, 1, 'Greet', '{}', 'c', true, now())
        """
            .formatted(sent));

    var set = UUID.randomUUID();
    hold("origin_deadlines = array['" + set + "'::uuid]", "key = 'its deadline is set'");
    cluster.execute(
        """
        insert into evento.scheduled_message (id, kind, due_at, name, version, key, slot, label,
                                              origin_deadlines)
        values (gen_random_uuid(), 'deadline', now(), 'greeting', 1, 'its deadline is set', 0,
                'late', array['%s'::uuid])
        """
            .formatted(set));

    assertThat(comparison().alone()).isEqualTo(1);
    node.comparisons.forgetBeyond(0);
    assertThat(cluster.texts("select key from evento.shadow_command order by created_at"))
        .containsExactly(
            "beyond its checkpoint",
            "among its dead letters",
            "its outcome waits",
            "its deadline is set");
    assertThat(comparison().discarded()).isEqualTo(1);
  }

  @Test
  void where_no_version_is_live_nothing_is_forgotten() throws SQLException {
    hold(about(10), "attempts = 10");
    cluster.execute("update evento.consumer set role = 'shadow' where version = 1");
    node.comparisons.forgetBeyond(0);
    assertThat(left()).containsExactly("Greet-10");
  }

  private static String about(int event) {
    return "origin_event = " + event;
  }

  /**
   * A command that was looked for ten times, unless it is said otherwise.
   *
   * @param origin what it is about
   * @param rest what else is not as usual
   */
  private void hold(String origin, String rest) throws SQLException {
    var id = new UUID(0, ++held);
    cluster.execute(
        """
        insert into evento.shadow_command
               (id, name, version, key, slot, born, type, payload, correlation, hear, attempts)
        values ('%s', 'greeting', 2, 'k', 5, 1, 'Greet', '{}', 'c', true, 10)
        """
            .formatted(id));
    cluster.execute(
        "update evento.shadow_command set " + origin + ", " + rest + " where id = '" + id + "'");
  }

  private static List<String> left() throws SQLException {
    return cluster.texts(
        "select type || '-' || origin_event from evento.shadow_command order by origin_event");
  }

  private Comparison comparison() {
    return node.comparisons.comparison(SHADOW, 10).orElseThrow();
  }
}
