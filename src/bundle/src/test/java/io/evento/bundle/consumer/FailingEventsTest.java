package io.evento.bundle.consumer;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ConsumerMessage.Credit;
import io.evento.protocol.ConsumerMessage.Disable;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.ConsumerMessage.Events;
import io.evento.protocol.ConsumerMessage.Nack;
import io.evento.protocol.ConsumerMessage.Parked;
import io.evento.protocol.ConsumerMessage.Retried;
import io.evento.protocol.ConsumerMessage.Retry;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * A failing event takes effect once or not at all, and holds up what follows until it is parked.
 */
class FailingEventsTest extends ConsumersFixture {
  @Test
  void a_failing_event_lets_those_before_it_through_and_holds_up_those_behind() {
    numbers.failing.add(3L);
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 4, 1, 2, 3, 4));
    awaitSaid(Nack.class, 2);
    assertThat(numbersStored()).containsExactly("1", "2");
    var nack = said(Nack.class).get(1);
    assertThat(nack).isEqualTo(new Nack("numbers:1", 0, 1, 3, 2, nack.detail()));
    assertThat(nack.detail()).startsWith("java.lang.IllegalStateException: number 3\nin process ");
    numbers.failing.clear();
    awaitAck(4);
    assertThat(numbersStored()).containsExactly("1", "2", "3", "4");
  }

  @Test
  void what_failed_too_often_waits_to_be_parked_and_is_passed_over_then() throws Exception {
    numbers.failing.add(2L);
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 5, 1, 2, 3, 4));
    await().atMost(ofSeconds(10)).until(() -> said(Nack.class).stream().anyMatch(Nack::park));
    assertThat(said(Nack.class)).extracting(Nack::attempt).contains(1, 2, 3, 4, 5);
    numbers.failing.clear();
    await().during(ofSeconds(3)).atMost(ofSeconds(5)).until(() -> numbersStored().size() == 1);
    assertThat(said(Nack.class).stream().filter(Nack::park).count())
        .as("it asks again")
        .isGreaterThan(1);
    consumers.parked(new Parked("numbers:1", 0, 1, List.of(2L, 4L)));
    awaitAck(5);
    assertThat(numbersStored()).containsExactly("1", "3");
    assertThat(checkpoints()).containsExactly("0-127@5 fence 1");
  }

  @Test
  void a_dead_letter_takes_effect_once_and_moves_no_checkpoint() {
    enable(segment(0, 127, 1, 7));
    awaitSaid(Credit.class, 1);
    var letter = UUID.randomUUID();
    consumers.retry(new Retry("numbers:1", 0, 1, letter, event(3)));
    awaitSaid(Retried.class, 1);
    consumers.retry(new Retry("numbers:1", 0, 1, letter, event(3)));
    awaitSaid(Retried.class, 2);
    assertThat(said(Retried.class))
        .containsOnly(new Retried("numbers:1", 0, 1, letter, null, false));
    assertThat(numbersStored()).containsExactly("3");
    assertThat(checkpoints()).containsExactly("0-127@7 fence 1");
  }

  @Test
  void a_dead_letter_that_fails_again_says_so_and_changes_nothing() throws Exception {
    numbers.failing.add(3L);
    enable(segment(0, 127, 1, 7));
    awaitSaid(Credit.class, 1);
    var letter = UUID.randomUUID();
    consumers.retry(new Retry("numbers:1", 0, 1, letter, event(3)));
    awaitSaid(Retried.class, 1);
    assertThat(said(Retried.class).get(0).failure())
        .startsWith("java.lang.IllegalStateException: number 3\nin process ");
    assertThat(numbersStored()).isEmpty();
    numbers.failing.clear();
    execute("update evento_checkpoint set fence = 2");
    consumers.retry(new Retry("numbers:1", 0, 1, letter, event(3)));
    awaitSaid(Disable.class, 1);
    assertThat(numbersStored()).as("by whoever was fenced off").isEmpty();
  }

  @Test
  void what_a_constraint_refuses_at_the_commit_is_the_events_fault() throws Exception {
    execute(
        "create table parent (number bigint primary key);"
            + "alter table number add foreign key (number) references parent"
            + " deferrable initially deferred; insert into parent values (1), (3)");
    enable(segment(0, 127, 1, 0));
    consumers.events(events(1, 0, 3, 1, 2, 3));
    await().atMost(ofSeconds(10)).until(() -> said(Nack.class).stream().anyMatch(Nack::park));
    assertThat(said(Nack.class)).extracting(Nack::position).containsOnly(2L);
    execute("drop table number, parent cascade");
  }

  @Test
  void a_database_that_is_away_is_waited_for_and_parks_nothing() {
    plain.broken = new SQLException("terminating connection", "57P01");
    consumers.enable(new Enable("plain:1", 0, 0, 127, 1, EPOCH, 0), answers::add, this);
    consumers.events(new Events("plain:1", 0, 1, EPOCH, 0, 1, List.of(event(1))));
    awaitSaid(Nack.class, 6);
    assertThat(said(Nack.class)).noneMatch(Nack::park).extracting(Nack::attempt).containsOnly(0);
    plain.broken = null;
    awaitAck(1);
  }

  @Test
  void a_data_source_that_refuses_unchecked_is_asked_again() {
    DATABASE.refusals.set(2);
    enable(segment(0, 127, 1, 0));
    awaitSaid(Credit.class, 1);
    DATABASE.refusals.set(2);
    consumers.events(events(1, 0, 3, 1, 2));
    awaitAck(3);
    assertThat(numbersStored()).containsExactly("1", "2");
  }
}
