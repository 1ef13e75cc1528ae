package io.evento.server.console.capacity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class QueueingTest {
  @Test
  void one_server_makes_wait_as_often_as_it_is_busy() {
    assertThat(Queueing.waits(1, 0.3)).isCloseTo(0.3, within(1e-12));
    assertThat(Queueing.waits(1, 0)).isZero();
    assertThat(Queueing.waits(4, 1.2)).isEqualTo(1);
  }

  @Test
  void several_servers_make_wait_as_tables_of_erlang_say() {
    // M/M/2 with 1.5 offered: 9/14; M/M/3 with 2: 4/9.
    assertThat(Queueing.waits(2, 0.75)).isCloseTo(9.0 / 14, within(1e-12));
    assertThat(Queueing.waits(3, 2.0 / 3)).isCloseTo(4.0 / 9, within(1e-12));
  }

  @Test
  void a_wait_is_that_of_pollaczek_and_khinchine_where_there_is_one_server() {
    // Half busy: as long as one is served if times are exponential, half of it if they are equal.
    assertThat(Queueing.wait(1, 0.5, 10, 1)).isCloseTo(10, within(1e-12));
    assertThat(Queueing.wait(1, 0.5, 10, 0)).isCloseTo(5, within(1e-12));
    assertThat(Queueing.wait(1, 0.9, 10, 1)).isCloseTo(90, within(1e-9));
    assertThat(Queueing.wait(1, 1, 10, 1)).isInfinite();
  }

  @Test
  void of_those_who_wait_the_times_are_exponential() {
    // M/M/1 at a half: P(W > t) = ½ exp(-t/20).
    assertThat(Queueing.waitAt(0.99, 0.5, 10)).isCloseTo(20 * Math.log(50), within(1e-9));
    assertThat(Queueing.waitAt(0.5, 0.5, 10)).isZero();
    assertThat(Queueing.waitAt(0.5, 0.005, 0.01)).isZero();
  }

  @Test
  void how_busy_a_queue_is_follows_from_its_wait_and_from_its_stay() {
    var wait = Queueing.wait(1, 0.7, 4, 0.5);
    assertThat(Queueing.utilisationOfWait(wait, 4, 0.5)).isCloseTo(0.7, within(1e-12));
    assertThat(Queueing.utilisationOfWait(0, 4, 0.5)).isZero();
    // 100 a second, 5 ms each: half busy, and a stay of 10 ms.
    assertThat(Queueing.utilisationOfStay(100, 10)).isCloseTo(0.5, within(1e-12));
  }

  @Test
  void processors_that_are_busy_make_everything_longer() {
    assertThat(Queueing.stretch(1, 0.5)).isCloseTo(2, within(1e-12));
    assertThat(Queueing.stretch(2, 0.5)).isCloseTo(4.0 / 3, within(1e-12));
    assertThat(Queueing.stretch(2, 0)).isEqualTo(1);
    assertThat(Queueing.stretch(2, 1)).isInfinite();
  }

  @Test
  void what_processors_do_anyway_is_told_from_minutes_of_different_load() {
    var line =
        List.of(
            new Line.Point(10, 0.31),
            new Line.Point(100, 0.40),
            new Line.Point(200, 0.50),
            new Line.Point(400, 0.70));
    assertThat(Line.fixed(line)).isCloseTo(0.30, within(1e-9));
    assertThat(Line.fixed(line.subList(0, 2))).isZero();
    assertThat(
            Line.fixed(
                List.of(
                    new Line.Point(100, 0.4),
                    new Line.Point(101, 0.9),
                    new Line.Point(99, 0.1),
                    new Line.Point(100, 0.4))))
        .isZero();
    assertThat(
            Line.fixed(
                List.of(
                    new Line.Point(0, 1.9), new Line.Point(0.2, 1.7), new Line.Point(0.5, 1.8))))
        .isCloseTo(1.7, within(1e-9));
  }
}
