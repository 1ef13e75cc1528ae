package io.evento.server.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.server.console.DeadLetterResource.LetterView;
import io.evento.server.console.DeadLetterResource.Place;
import io.evento.server.console.DeadLetterResource.Wanted;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What operators see of dead letters, of all kinds. */
class DeadLetterPagesTest {
  private static final TestDatabase WHERE = PostgresFixture.shared().migrated();
  private static final Database DATABASE = new Database(NodeConfig.of(WHERE, "a"));
  private static final EntityManagers MANAGERS = new EntityManagers(DATABASE);
  private static final OrderReader ORDER = new OrderReader(DATABASE);
  private static final DeadLetterTable TABLE = new DeadLetterTable(DATABASE, UUID.randomUUID());

  private static final UUID COMMAND = UUID.randomUUID();
  private static final UUID ALARM = UUID.randomUUID();
  private static final UUID WROTE = UUID.randomUUID();

  @BeforeAll
  static void fill() throws SQLException {
    try (var admin = WHERE.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(
          """
          insert into evento.consumer (name, version, kind, contexts, types, start)
          values ('transfer', 1, 'saga', '{}', '{}', 'beginning')
          """);
      statement.execute(
          """
          insert into evento.consumer (name, version, kind, contexts, types, start, role)
          values ('transfer', 2, 'saga', '{}', '{}', 'beginning', 'shadow')
          """);
      statement.execute(
          """
          insert into evento.shadow_command
                 (id, name, version, key, slot, born, type, payload, correlation, hear, settled_at,
                  outcome)
          values ('%s', 'transfer', 2, 'a/1', 0, 1, 'Withdraw', '{"amount":6}', 'c', true,
                  clock_timestamp(), '{"code":"rejected"}')
          """
              .formatted(COMMAND));
      statement.execute(
          """
          insert into evento.event (position, version, decision, hash, recorded_at, command_id, ord,
                                    stream_id, context, type, tags, meta, payload, answer)
          values (7, 1, 1, 1, clock_timestamp(), '%s', 0, 'Account:a', 'bank', 'Opened', '{}', null,
                  '{"amount":1}', null)
          """
              .formatted(WROTE));
      statement.execute(
          """
          insert into evento.consumer_command
                 (id, name, version, key, slot, born, type, payload, correlation, hear, next_at,
                  settled_at, outcome)
          values ('%s', 'transfer', 1, 'a/1', 0, 1, 'Withdraw', '{"amount":5}', 'c', true,
                  clock_timestamp(), clock_timestamp(), '{"code":"rejected"}')
          """
              .formatted(COMMAND));
      statement.execute(
          """
          insert into evento.scheduled_message (id, kind, due_at, name, version, key, slot, label)
          values ('%s', 'deadline', '2026-01-31T10:15:30Z', 'transfer', 1, 'b', 0, 'late')
          """
              .formatted(ALARM));
      statement.execute(
          """
          insert into evento.dead_letter
                 (name, version, kind, sequence_key, slot, position, command_id, type, failed_at,
                  attempts, cause, cause_group)
          values ('transfer', 1, 'outcome', 'a/1', 0, 0, '%s', 'Withdraw', clock_timestamp(), 5,
                  'x: y', 'x'),
                 ('transfer', 1, 'deadline', 'b', 0, 0, '%s', 'late', clock_timestamp(), 5, 'x: z',
                  'x'),
                 ('transfer', 1, 'event', 'a/1', 0, 7, '%s', 'Opened', null, 0, null, null),
                 ('transfer', 2, 'outcome', 'a/1', 0, 0, '%s', 'Withdraw', clock_timestamp(), 5,
                  'x: y', 'x')
          """
              .formatted(COMMAND, ALARM, WROTE, COMMAND));
      statement.execute(
          """
          update evento.dead_letter
             set edited = '{"amount": 9007199254740993}', edited_at = clock_timestamp(),
                 edited_by = 'ada', edit_reason = 'a typing error'
           where kind = 'event'
          """);
    }
  }

  @AfterAll
  static void stop() {
    MANAGERS.close();
    DATABASE.close();
    WHERE.close();
  }

  @Test
  void pages_go_on_where_they_ended_though_many_letters_have_position_0() {
    var seen = new ArrayList<String>();
    var from = Place.BEGINNING;
    for (var more = true; more; ) {
      var at = from;
      var page = MANAGERS.read(manager -> DeadLetterResource.page(manager, all(null), at, 1));
      page.deadLetters().forEach(letter -> seen.add(letter.kind() + " " + letter.key()));
      more = page.next() != null;
      from = more ? Place.of(String.valueOf(page.next())) : from;
    }
    assertThat(seen).containsExactly("outcome a/1", "deadline b", "event a/1");
  }

  @Test
  void one_cause_is_one_row_of_each_consumer_and_what_waits_is_counted_beside() {
    var seen = MANAGERS.read(DeadLetterCauseResource::causes);

    assertThat(seen.causes())
        .extracting(
            cause -> cause.name() + ':' + cause.version(),
            cause -> cause.group() + " of " + cause.failed(),
            DeadLetterCauseResource.CauseView::keys,
            DeadLetterCauseResource.CauseView::asked,
            DeadLetterCauseResource.CauseView::cause)
        .containsExactly(
            tuple("transfer:1", "x of 2", 2L, 0L, "x: z"),
            tuple("transfer:2", "x of 1", 1L, 0L, "x: y"));
    assertThat(seen.waiting())
        .containsExactly(new DeadLetterCauseResource.WaitingView("transfer", 1, 1));
  }

  @Test
  void a_page_may_begin_after_a_position_and_show_one_key() {
    assertThat(list(all(null), Place.of("0")))
        .extracting(LetterView::kind)
        .containsExactly("event");
    assertThat(list(all("a/1"), Place.BEGINNING))
        .extracting(LetterView::kind)
        .containsExactly("outcome", "event");
    assertThatThrownBy(() -> Place.of("x/y"))
        .isInstanceOf(EventoException.class)
        .hasMessageContaining("after");
  }

  @Test
  void each_kind_is_shown_with_what_it_is_about() {
    var letters = list(all(null), Place.BEGINNING);
    var outcome = inFull(letters.get(0)).outcome();
    assertThat(Codec.text(Objects.requireNonNull(outcome)))
        .contains("{\"amount\":5}", "{\"code\":\"rejected\"}");
    var deadline = inFull(letters.get(1)).deadline();
    assertThat(Codec.text(Objects.requireNonNull(deadline)))
        .isEqualTo("{\"name\":\"late\",\"dueAt\":\"2026-01-31T10:15:30.000000Z\"}");
    var event = inFull(letters.get(2)).event();
    assertThat(Objects.requireNonNull(event).payload().text()).isEqualTo("{\"amount\":1}");
    assertThat(inFull(letters.get(0)).cause()).isEqualTo("x: y");
  }

  @Test
  void an_edit_is_shown_with_its_letter_to_the_last_digit_and_in_lists_only_that_there_is_one() {
    var listed = list(all(null), Place.BEGINNING).get(2);
    assertThat(listed.editedAt()).isNotNull();
    assertThat(listed.editedText()).isNull();
    assertThat(listed.editedBy()).isNull();
    assertThat(listed.editReason()).isNull();

    var shown = inFull(listed);

    assertThat(shown.payloadText()).isEqualTo("{\"amount\":1}");
    assertThat(shown.editedText()).isEqualTo("{\"amount\": 9007199254740993}");
    assertThat(shown.editedBy()).isEqualTo("ada");
    assertThat(shown.editReason()).isEqualTo("a typing error");
  }

  @Test
  void an_outcome_is_shown_with_the_command_of_its_own_version_though_both_have_one_id() {
    var shadows = list(new Wanted("transfer", 2, null, null), Place.BEGINNING);
    assertThat(shadows).hasSize(1);
    var held = Objects.requireNonNull(inFull(2, shadows.get(0)).outcome());
    assertThat(Codec.text(held))
        .contains("transfer:2", "settled", "{\"amount\":6}", "{\"code\":\"rejected\"}");
    var sent = inFull(list(all("a/1"), Place.BEGINNING).get(0)).outcome();
    assertThat(Codec.text(Objects.requireNonNull(sent))).contains("transfer:1", "{\"amount\":5}");
  }

  private static Wanted all(@Nullable String key) {
    return new Wanted("transfer", 1, key, null);
  }

  private static List<LetterView> list(Wanted wanted, Place from) {
    return MANAGERS
        .read(manager -> DeadLetterResource.page(manager, wanted, from, 100))
        .deadLetters();
  }

  private static LetterView inFull(LetterView letter) {
    return inFull(1, letter);
  }

  private static LetterView inFull(int version, LetterView letter) {
    return MANAGERS.read(
        manager ->
            DeadLetterResource.inFull(
                manager, ORDER, TABLE::edited, "transfer", version, UUID.fromString(letter.id())));
  }
}
