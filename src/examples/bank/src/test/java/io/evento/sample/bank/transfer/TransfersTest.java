package io.evento.sample.bank.transfer;

import io.evento.sample.bank.transfer.Transfer.Status;
import io.evento.sample.bank.transfer.TransferEvent.TransferCompleted;
import io.evento.sample.bank.transfer.TransferEvent.TransferFailed;
import io.evento.sample.bank.transfer.TransferEvent.TransferRequested;
import io.evento.sample.bank.transfer.TransferQuery.FindTransfer;
import io.evento.sample.bank.transfer.TransferQuery.Latest;
import io.evento.sample.bank.transfer.TransferQuery.ListTransfers;
import io.evento.sample.bank.transfer.TransferQuery.TransferView;
import io.evento.testkit.ProjectorFixture;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class TransfersTest {
  private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");
  private static final Instant SOON = NOON.plusSeconds(1);

  private static EmbeddedPostgres postgres;

  @BeforeAll
  static void startDatabase() throws IOException {
    postgres = EmbeddedPostgres.start();
  }

  @AfterAll
  static void stopDatabase() throws IOException {
    postgres.close();
  }

  @Test
  void transfers_are_told_with_their_ends() throws Exception {
    var database = postgres.getPostgresDatabase();
    Transfers.createTable(database);
    var first = new TransferView("t-1", "a", "b", 1, Status.COMPLETED, null, NOON, SOON);
    var second = new TransferView("t-2", "a", "b", 2, Status.FAILED, "deadline", NOON, SOON);
    var third = new TransferView("t-3", "b", "a", 3, Status.REQUESTED, null, NOON, null);
    ProjectorFixture.of(new Transfers(), database)
        .at(NOON)
        .given(Transfer.class, "t-1", new TransferRequested("t-1", "a", "b", 1))
        .given(Transfer.class, "t-1", new TransferCompleted())
        .at(NOON)
        .given(Transfer.class, "t-2", new TransferRequested("t-2", "a", "b", 2))
        .given(Transfer.class, "t-2", new TransferFailed("deadline"))
        .at(NOON)
        .given(Transfer.class, "t-3", new TransferRequested("t-3", "b", "a", 3))
        .thenAnswers(new FindTransfer("t-1"), first)
        .thenAnswers(new FindTransfer("t-4"), null)
        .thenAnswers(new ListTransfers(2), new Latest(List.of(third, second), 1));
  }
}
