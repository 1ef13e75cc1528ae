package io.evento.server.consumer.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Pages read through JPA what owners wrote. */
class ConsumerRowsTest {
  private static final TestDatabase WHERE = PostgresFixture.shared().migrated();
  private static final Database DATABASE = new Database(NodeConfig.of(WHERE, "a"));
  private static final LeaseConnection CONNECTION = new LeaseConnection(DATABASE);
  private static final EntityManagers MANAGERS = new EntityManagers(DATABASE);

  @AfterAll
  static void stop() {
    MANAGERS.close();
    CONNECTION.close();
    DATABASE.close();
    WHERE.close();
  }

  @Test
  void consumers_and_segments_are_read() {
    var epoch = UUID.randomUUID();
    var consumes = new Consumption(List.of("bank", "sh\"op"), List.of(), "end", 2);
    new ConsumerTable(CONNECTION)
        .declare(
            RecordingBundle.projector("accounts", consumes),
            consumes,
            new StorePosition(epoch, 42));
    var segments = new SegmentTable(CONNECTION);
    var seen = segments.of(List.of(new ConsumerId("accounts", 1)));
    segments.claim(seen.subList(1, 2), "a", UUID.randomUUID(), Duration.ofSeconds(5));

    var consumer =
        MANAGERS.read(
            manager -> manager.find(ConsumerRow.class, new ConsumerRow.Key("accounts", 1)));
    assertThat(consumer.kind()).isEqualTo("projector");
    assertThat(consumer.start()).isEqualTo("end");
    assertThat(consumer.role()).isEqualTo("live");
    assertThat(consumer.status()).isEqualTo("active");

    var free = segment(0);
    assertThat(free.owner()).isNull();
    assertThat(free.firstSlot()).isZero();
    assertThat(free.lastSlot()).isEqualTo(63);
    var owned = segment(1);
    assertThat(owned.owner()).isEqualTo("a");
    assertThat(owned.fence()).isEqualTo(1);
    assertThat(owned.checkpoint()).isEqualTo(42);
    assertThat(owned.epoch()).isEqualTo(epoch);
    assertThat(owned.note()).isNull();
  }

  private static ConsumerSegmentRow segment(int number) {
    return MANAGERS.read(
        manager ->
            manager.find(
                ConsumerSegmentRow.class, new ConsumerSegmentRow.Key("accounts", 1, number)));
  }
}
