package io.evento.server.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.Correlation;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.persistence.UncheckedSqlException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a caller is told, and what stands in the log about it. */
class FailuresTest {
  private static final Logger LOG = Logger.getLogger(Failures.class.getName());

  private final List<String> lines = new ArrayList<>();
  private final Handler listener =
      new Handler() {
        @Override
        public void publish(LogRecord line) {
          lines.add(line.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  @BeforeEach
  void listen() {
    LOG.addHandler(listener);
  }

  @AfterEach
  void listenNoMore() {
    LOG.removeHandler(listener);
  }

  @Test
  void a_fault_of_ours_is_logged_under_the_correlation_that_the_caller_is_told() {
    var told = Failures.told(new CompletionException(new IllegalStateException("bug")), "flow-1");
    assertThat(told.code()).isEqualTo(ErrorCode.INTERNAL);
    assertThat(told.correlation()).isEqualTo("flow-1");
    assertThat(told.detail()).doesNotContain("bug");
    assertThat(lines).containsExactly("internal failure correlation=flow-1");
  }

  @Test
  void so_is_a_database_that_does_not_answer() {
    var failure = new UncheckedSqlException("read head", new SQLException("gone", "08006"));
    var told = Failures.told(failure, "flow-2");
    assertThat(told.code()).isEqualTo(ErrorCode.UNAVAILABLE);
    assertThat(told.correlation()).isEqualTo("flow-2");
    assertThat(lines)
        .singleElement()
        .asString()
        .contains("state=08006")
        .endsWith(" correlation=flow-2");
  }

  @Test
  void a_text_that_no_row_can_have_is_its_senders_fault_and_no_database_that_is_away() {
    var refused = new SQLException("invalid byte sequence for encoding \"UTF8\": 0x00", "22021");
    var told = Failures.told(new UncheckedSqlException("find", refused), "flow-3");
    assertThat(told.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
    assertThat(told.detail()).contains("U+0000");
  }

  @Test
  void a_fault_of_ours_that_hit_many_requests_has_a_line_for_each() {
    var batch = new EventoException(ErrorCode.INTERNAL, "the store cannot take it");
    assertThat(Failures.told(batch, "flow-4").correlation()).isEqualTo("flow-4");
    assertThat(lines)
        .containsExactly("request failed detail=the store cannot take it correlation=flow-4");
  }

  @Test
  void what_was_correlated_where_it_failed_stays_so() {
    var elsewhere = new EventoException(ErrorCode.INTERNAL, "there").correlated("flow-3");
    var told = Failures.told(elsewhere, "another").ofCommand(UUID.randomUUID());
    assertThat(told.correlation()).isEqualTo("flow-3");
    assertThat(told.detail()).isEqualTo("there");
    assertThat(lines).isEmpty();
  }

  @Test
  void a_command_is_correlated_by_what_its_sender_said_else_its_trace_else_its_id() {
    var id = UUID.randomUUID();
    var trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assertThat(Correlation.of(command(id, trace, "said"))).isEqualTo("said");
    assertThat(Correlation.of(command(id, trace, null)))
        .isEqualTo("4bf92f3577b34da6a3ce929d0e0e4736");
    assertThat(Correlation.of(command(id, null, null))).isEqualTo(id.toString());
    assertThat(Correlation.of(command(id, "00-short", null))).isEqualTo(id.toString());
  }

  private static CommandMessage.Command command(
      UUID id, @Nullable String trace, @Nullable String correlation) {
    return new CommandMessage.Command(
        id, "Deposit", null, 1_000, trace, correlation, null, null, Json.EMPTY_OBJECT);
  }
}
