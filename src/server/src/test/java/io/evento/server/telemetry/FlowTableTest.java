package io.evento.server.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.telemetry.FlowTable.Led;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.time.Instant;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FlowTableTest {
  private static final long MINUTE = 1_800_000_000L;
  private static final Instant[] BOTH = {
    Instant.ofEpochSecond(MINUTE), Instant.ofEpochSecond(MINUTE + 60)
  };

  private final TestDatabase where = PostgresFixture.shared().migrated();
  private final Database database = new Database(NodeConfig.of(where, "node-1"));
  private final Telemetry telemetry = new Telemetry();
  private final FlowTable table = table("node-1");
  private final FlowBook book = new FlowBook(telemetry.effects(), table);

  private FlowTable table(String node) {
    return new FlowTable(database, NodeConfig.of(where, node));
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void what_led_to_what_is_written_while_the_minute_runs_and_never_counted_twice() {
    telemetry.emitted("Deposit", "MoneyDeposited");
    book.write(MINUTE);
    telemetry.emitted("Deposit", "MoneyDeposited");
    telemetry.consumer("transfers:1").sent("TransferRequested", "Withdraw");
    book.write(MINUTE);
    book.write(MINUTE);
    telemetry.emitted("Deposit", "MoneyDeposited");
    book.write(MINUTE + 60);
    assertThat(table.led(BOTH, 60))
        .containsExactly(
            new Led("emits", "Deposit", "", "MoneyDeposited", 3),
            new Led("sends", "transfers:1", "TransferRequested", "Withdraw", 1));
    assertThat(table.led(BOTH, 120))
        .first()
        .isEqualTo(new Led("emits", "Deposit", "", "MoneyDeposited", 2));
  }

  @Test
  void nodes_and_processes_add_up() {
    telemetry.emitted("Deposit", "MoneyDeposited");
    book.write(MINUTE);
    var other = new Telemetry();
    other.emitted("Deposit", "MoneyDeposited");
    new FlowBook(other.effects(), table("node-2")).write(MINUTE);
    assertThat(table.led(BOTH, 60)).extracting(Led::count).containsExactly(2L);
    assertThat(table.busy(BOTH, 60))
        .extracting(FlowTable.Busy::node)
        .containsExactly("node-1", "node-2");
  }

  @Test
  void nothing_is_counted_where_nothing_is_measured() {
    telemetry.configure(false, 1);
    telemetry.emitted("Deposit", "MoneyDeposited");
    telemetry.consumer("transfers:1").sent("TransferRequested", "Withdraw");
    assertThat(telemetry.effects().take()).isEmpty();
  }

  @Test
  void what_is_older_than_it_is_kept_is_forgotten() {
    telemetry.emitted("Deposit", "MoneyDeposited");
    var hour = System.currentTimeMillis() / 3_600_000 * 3_600;
    book.write(hour - 200 * 3_600L);
    telemetry.emitted("Deposit", "MoneyDeposited");
    book.write(hour);
    table.forgetOlder(168, 100);
    Instant[] all = {Instant.ofEpochSecond(hour - 200 * 3_600L), Instant.ofEpochSecond(hour)};
    assertThat(table.led(all, 3_600)).extracting(Led::count).containsExactly(1L);
    assertThat(table.busy(all, 3_600)).hasSize(1);
  }

  @Test
  void the_machine_is_read_as_linux_tells_it() {
    var stat =
        """
        cpu  100 5 20 700 30 1 4 0 50 0
        cpu0 50 2 10 350 15 0 2 0 25 0
        cpu1 50 3 10 350 15 1 2 0 25 0
        intr 1
        """;
    var machine = Objects.requireNonNull(Processors.machine(stat));
    assertThat(machine.processors()).isEqualTo(2);
    assertThat(machine.all()).isEqualTo(860);
    assertThat(machine.busy()).isEqualTo(125);
    assertThat(Processors.machine("something else")).isNull();
    assertThat(Processors.machine("cpu a b c d e f")).isNull();
  }
}
