package io.evento.bundle.consumer;

import static java.time.Duration.ofSeconds;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.sql.SqlBatch;
import io.evento.protocol.ConsumerMessage.Credit;
import io.evento.protocol.ConsumerMessage.Nack;
import io.evento.protocol.ConsumerMessage.Parked;
import io.evento.protocol.ConsumerMessage.Retried;
import io.evento.protocol.ConsumerMessage.Retry;
import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Statements of several events go together, and each fails for its own event alone. */
@Tag("I6")
class StatementBatchTest extends ConsumersFixture {
  private static final String INSERT = "insert into number values (?, ?)";
  private static final String DOUBLE = "update number set number = 2 * number where position = ?";

  record Asked(long number) {}

  @Projector(name = "numbers")
  static class Batched {
    volatile boolean swallows;
    volatile long notThere;
    volatile @Nullable SqlBatch kept;
    final List<Long> sums = new CopyOnWriteArrayList<>();

    @EventHandler
    void on(Counted event, EventMetadata at, SqlBatch rows) throws SQLException {
      kept = rows;
      try {
        rows.add(
            INSERT,
            insert -> {
              insert.setLong(1, at.position());
              insert.setLong(2, event.number());
            });
        rows.addOne(
            DOUBLE, update -> update.setLong(1, event.number() == notThere ? 999 : at.position()));
        if (swallows) {
          rows.add("delete from number where position = ?", delete -> delete.setLong(1, -1));
        }
      } catch (SQLException failure) {
        if (!swallows) {
          throw failure;
        }
      }
    }

    @EventHandler
    void on(Asked event, Connection tx) throws SQLException {
      try (var select = tx.createStatement();
          var sum = select.executeQuery("select coalesce(sum(number), 0) from number")) {
        sum.next();
        sums.add(sum.getLong(1));
      }
    }
  }

  private final Batched batched = new Batched();
  private final Consumers batching = consumers(batched);

  @AfterEach
  void end() {
    batching.close();
  }

  private void begin(long position) {
    batching.enable(segment(0, 127, 1, position), answers::add, this);
    awaitSaid(Credit.class, 1);
  }

  /** Of statements, in which they were sent. */
  private static Connection recording(Connection real, List<String> sent) {
    return proxy(
        Connection.class,
        real,
        (method, arguments, answer) ->
            method.equals("prepareStatement")
                ? proxy(
                    PreparedStatement.class,
                    (PreparedStatement) requireNonNull(answer),
                    (called, none, result) -> {
                      if (called.equals("executeBatch")) {
                        sent.add(((int[]) requireNonNull(result)).length + " " + arguments[0]);
                      }
                      return result;
                    })
                : answer);
  }

  private interface Watching {
    @Nullable Object seen(String method, Object[] arguments, @Nullable Object answer);
  }

  private static <T> T proxy(Class<T> type, T real, Watching watching) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> {
              try {
                return watching.seen(method.getName(), arguments, method.invoke(real, arguments));
              } catch (InvocationTargetException thrown) {
                throw thrown.getTargetException();
              }
            }));
  }

  private static SqlBatch.Parameters row(long position) {
    return insert -> {
      insert.setLong(1, position);
      insert.setLong(2, position);
    };
  }

  @Test
  void statements_that_are_alike_go_together_and_all_of_them_in_order() throws Exception {
    var sent = new ArrayList<String>();
    try (var real = DATABASE.getConnection()) {
      real.setAutoCommit(false);
      try (var batch = new StatementBatch(recording(real, sent))) {
        for (var position = 1L; position <= 3; position++) {
          batch.handling(event(position));
          batch.add(INSERT, row(position));
        }
        batch.add(DOUBLE, update -> update.setLong(1, 2));
        batch.add(INSERT, row(4));
        assertThat(sent).containsExactly("3 " + INSERT, "1 " + DOUBLE);
        batch.send();
        batch.send();
      }
      real.commit();
    }
    assertThat(sent).containsExactly("3 " + INSERT, "1 " + DOUBLE, "1 " + INSERT);
    assertThat(numbersStored()).containsExactly("1", "4", "3", "4");
  }

  @Test
  void a_parameter_that_is_not_set_is_not_that_of_the_event_before() throws Exception {
    try (var real = DATABASE.getConnection();
        var batch = new StatementBatch(real)) {
      batch.handling(event(1));
      batch.add(INSERT, row(1));
      assertThatThrownBy(
              () -> {
                batch.add(INSERT, insert -> insert.setLong(1, 2));
                batch.send();
              })
          .isInstanceOf(SQLException.class);
    }
  }

  @Test
  void what_sets_parameters_cannot_execute_the_statement_too() throws Exception {
    assertThat(
            failureOf(
                insert -> {
                  row(1).set(insert);
                  insert.executeUpdate();
                }))
        .isInstanceOf(SQLException.class)
        .hasMessageContaining("executeUpdate");
    assertThat(numbersStored()).isEmpty();
  }

  @Test
  void what_a_handler_swallows_of_its_own_code_undoes_the_transaction_too() throws Exception {
    assertThat(
            failureOf(
                insert -> {
                  throw new IllegalArgumentException("planted");
                }))
        .hasMessage("planted");
  }

  /** What comes of setting parameters like that; nor is it forgotten where the batch is sent. */
  private static Throwable failureOf(SqlBatch.Parameters parameters) throws SQLException {
    try (var real = DATABASE.getConnection();
        var batch = new StatementBatch(real)) {
      batch.handling(event(1));
      var failure = catchThrowable(() -> batch.add(INSERT, parameters));
      assertThatThrownBy(batch::send).isInstanceOf(SQLException.class);
      return failure;
    }
  }

  @Test
  void a_thread_that_the_handler_left_behind_adds_nothing() throws Exception {
    try (var real = DATABASE.getConnection();
        var batch = new StatementBatch(real)) {
      batch.handling(event(1));
      var late = CompletableFuture.supplyAsync(() -> refusedTo(batch));
      assertThat(late.get(10, TimeUnit.SECONDS)).contains("belongs to the call of its handler");
    }
  }

  private static String refusedTo(SqlBatch batch) {
    try {
      batch.add(INSERT, row(1));
      return "added";
    } catch (SQLException | IllegalStateException refused) {
      return String.valueOf(refused.getMessage());
    }
  }

  @Test
  void more_than_a_thousand_are_not_kept() throws Exception {
    var sent = new ArrayList<String>();
    try (var real = DATABASE.getConnection();
        var batch = new StatementBatch(recording(real, sent))) {
      batch.handling(event(1));
      for (var position = 1L; position <= 1_001; position++) {
        batch.add(INSERT, row(position));
      }
      assertThat(sent).containsExactly("1000 " + INSERT);
    }
  }

  @Test
  void events_of_one_delivery_take_effect_with_the_checkpoint() {
    begin(0);
    batching.events(events(1, 0, 4, 1, 2, 3, 4));
    awaitAck(4);
    assertThat(numbersStored()).containsExactly("2", "4", "6", "8");
    assertThat(checkpoints()).containsExactly("0-127@4 fence 1");
  }

  @Test
  void who_reads_by_a_connection_sees_what_was_added_before() {
    begin(0);
    var delivery = events(1, 0, 5, 1, 2, 3, 4, 5);
    var mixed = new ArrayList<>(delivery.events());
    mixed.set(2, asked(3));
    mixed.set(4, asked(5));
    batching.events(
        new io.evento.protocol.ConsumerMessage.Events("numbers:1", 0, 1, EPOCH, 0, 5, mixed));
    awaitAck(5);
    assertThat(batched.sums).containsExactly(6L, 14L);
  }

  private static RecordedEvent asked(long position) {
    var counted = event(position);
    return new RecordedEvent(
        position,
        counted.aggregate(),
        position,
        "Asked",
        1,
        counted.context(),
        "2026-01-31T10:15:30.123456Z",
        COMMAND,
        "flow",
        null,
        List.of(),
        Json.EMPTY_OBJECT,
        new Json("{\"number\":0}"));
  }

  @Test
  void a_statement_that_the_database_refuses_is_the_fault_of_its_own_event() throws Exception {
    execute("alter table number add check (number <> 3)");
    begin(0);
    batching.events(events(1, 0, 4, 1, 2, 3, 4));
    await().atMost(ofSeconds(10)).until(() -> said(Nack.class).stream().anyMatch(Nack::park));
    assertThat(said(Nack.class)).extracting(Nack::position).containsOnly(3L);
    assertThat(said(Nack.class)).extracting(Nack::attempt).containsExactly(1, 2, 3, 4, 5);
    assertThat(said(Nack.class).get(0).detail())
        .contains("number_number_check")
        .doesNotContain("insert into");
    assertThat(numbersStored()).containsExactly("2", "4");
    batching.parked(new Parked("numbers:1", 0, 1, List.of(3L)));
    awaitAck(4);
    assertThat(numbersStored()).containsExactly("2", "4", "8");
  }

  @Test
  void a_statement_that_changes_no_row_is_the_fault_of_its_own_event() {
    batched.notThere = 3;
    begin(0);
    batching.events(events(1, 0, 4, 1, 2, 3, 4));
    awaitSaid(Nack.class, 1);
    assertThat(said(Nack.class).get(0).position()).isEqualTo(3);
    assertThat(said(Nack.class).get(0).detail())
        .contains("event at position 3 had to change one row, and changed 0");
    assertThat(numbersStored()).containsExactly("2", "4");
    batched.notThere = 0;
    awaitAck(4);
    assertThat(numbersStored()).containsExactly("2", "4", "6", "8");
  }

  @Test
  void a_failure_that_a_handler_swallows_commits_nothing() {
    batched.notThere = 2;
    batched.swallows = true;
    begin(0);
    batching.events(events(1, 0, 3, 1, 2, 3));
    awaitSaid(Nack.class, 1);
    assertThat(said(Nack.class).get(0).position()).isEqualTo(2);
    assertThat(numbersStored()).containsExactly("2");
    assertThat(checkpoints()).containsExactly("0-127@1 fence 1");
  }

  @Test
  void a_database_that_goes_away_under_a_batch_is_waited_for_and_parks_nothing() throws Exception {
    execute(
        """
        create or replace function busy() returns trigger language plpgsql as
        $$begin raise exception using errcode = '57P01'; end$$;
        create trigger busy before insert on number execute function busy();
        """);
    begin(0);
    batching.events(events(1, 0, 2, 1, 2));
    awaitSaid(Nack.class, 6);
    assertThat(said(Nack.class)).noneMatch(Nack::park).extracting(Nack::attempt).containsOnly(0);
    execute("drop trigger busy on number");
    awaitAck(2);
    assertThat(numbersStored()).containsExactly("2", "4");
  }

  @Test
  void a_dead_letter_is_handled_with_all_that_it_added() {
    begin(7);
    batched.notThere = 3;
    var letter = UUID.randomUUID();
    batching.retry(new Retry("numbers:1", 0, 1, letter, event(3)));
    awaitSaid(Retried.class, 1);
    assertThat(said(Retried.class).get(0).failure()).contains("had to change one row");
    batched.notThere = 0;
    batching.retry(new Retry("numbers:1", 0, 1, letter, event(3)));
    awaitSaid(Retried.class, 2);
    assertThat(said(Retried.class).get(1).failure()).isNull();
    assertThat(numbersStored()).containsExactly("6");
  }

  @Test
  void a_batch_is_of_no_use_after_the_call_of_its_handler() {
    begin(0);
    batching.events(events(1, 0, 1, 1));
    awaitAck(1);
    assertThatThrownBy(() -> requireNonNull(batched.kept).add(INSERT, row(5)))
        .isInstanceOf(IllegalStateException.class);
  }
}
