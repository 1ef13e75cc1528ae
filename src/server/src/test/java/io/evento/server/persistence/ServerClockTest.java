package io.evento.server.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.testing.PostgresFixture;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ServerClockTest {
  @Test
  void what_lies_between_question_and_answer_is_no_difference() {
    assertThat(ServerClock.ahead(100, 100, 300)).isZero();
    assertThat(ServerClock.ahead(100, 300, 300)).isZero();
    assertThat(ServerClock.ahead(100, 301, 300)).isEqualTo(1);
    assertThat(ServerClock.ahead(100, 99, 300)).isEqualTo(-1);
  }

  @Test
  void a_database_of_this_machine_has_its_clock() throws SQLException {
    try (var connection = PostgresFixture.shared().migrated().asServer()) {
      assertThat(ServerClock.ahead(connection).abs()).isLessThan(Duration.ofSeconds(1));
    }
  }
}
