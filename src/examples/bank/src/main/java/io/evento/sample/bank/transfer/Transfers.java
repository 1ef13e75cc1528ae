package io.evento.sample.bank.transfer;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.sample.bank.transfer.Transfer.Status;
import io.evento.sample.bank.transfer.TransferEvent.TransferCompleted;
import io.evento.sample.bank.transfer.TransferEvent.TransferFailed;
import io.evento.sample.bank.transfer.TransferEvent.TransferRequested;
import io.evento.sample.bank.transfer.TransferQuery.FindTransfer;
import io.evento.sample.bank.transfer.TransferQuery.Latest;
import io.evento.sample.bank.transfer.TransferQuery.ListTransfers;
import io.evento.sample.bank.transfer.TransferQuery.TransferView;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import javax.sql.DataSource;

/** The transfers as rows, for questions. */
@Projector(name = "transfers", version = 1, context = "bank", segments = 2)
public class Transfers {
  private static final String TABLE =
      """
      create table if not exists transfer (
        transfer_id  text collate "C" primary key,
        from_account text        not null,
        to_account   text        not null,
        amount       bigint      not null,
        status       text        not null,
        reason       text,
        position     bigint      not null unique,
        requested    timestamptz not null,
        ended        timestamptz
      )
      """;

  // Few of all transfers are under way, and they are counted at each look at the page.
  private static final String UNDER_WAY_INDEX =
      """
      create index if not exists transfer_under_way on transfer (transfer_id)
        where status = 'REQUESTED'
      """;

  private static final String INSERT =
      "insert into transfer values (?, ?, ?, ?, 'REQUESTED', null, ?, ?, null)";

  private static final String END =
      """
      update transfer set status = ?, reason = ?, ended = ?
       where transfer_id = ? and status = 'REQUESTED'
      """;

  private static final String FIND = "select * from transfer where transfer_id = ?";

  private static final String LATEST = "select * from transfer order by position desc limit ?";

  private static final String UNDER_WAY =
      "select count(*) from transfer where status = 'REQUESTED'";

  /** Makes the table if it is not there yet. */
  public static void createTable(DataSource database) throws SQLException {
    try (var connection = database.getConnection();
        var statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      // Two banks may start at once, and PostgreSQL's "if not exists" is no match for that.
      statement.execute("select pg_advisory_xact_lock(hashtext('bank.transfer'))");
      statement.execute(TABLE);
      statement.execute(UNDER_WAY_INDEX);
      connection.commit();
    }
  }

  @EventHandler
  void on(TransferRequested event, EventMetadata at, Connection tx) throws SQLException {
    try (var insert = tx.prepareStatement(INSERT)) {
      insert.setString(1, at.aggregateId());
      insert.setString(2, event.fromAccountId());
      insert.setString(3, event.toAccountId());
      insert.setLong(4, event.amount());
      insert.setLong(5, at.position());
      insert.setTimestamp(6, Timestamp.from(at.time()));
      insert.executeUpdate();
    }
  }

  @EventHandler
  void on(TransferCompleted event, EventMetadata at, Connection tx) throws SQLException {
    end(Status.COMPLETED, null, at, tx);
  }

  @EventHandler
  void on(TransferFailed event, EventMetadata at, Connection tx) throws SQLException {
    end(Status.FAILED, event.reason(), at, tx);
  }

  @QueryHandler
  TransferView find(FindTransfer query, Connection connection) throws SQLException {
    try (var select = connection.prepareStatement(FIND)) {
      select.setString(1, query.transferId());
      var rows = select.executeQuery();
      return rows.next() ? view(rows) : null;
    }
  }

  @QueryHandler
  Latest list(ListTransfers query, Connection connection) throws SQLException {
    try (var select = connection.prepareStatement(LATEST);
        var count = connection.prepareStatement(UNDER_WAY)) {
      select.setInt(1, query.limit());
      var rows = select.executeQuery();
      var transfers = new ArrayList<TransferView>();
      while (rows.next()) {
        transfers.add(view(rows));
      }
      var underWay = count.executeQuery();
      underWay.next();
      return new Latest(transfers, underWay.getLong(1));
    }
  }

  private static void end(Status status, String reason, EventMetadata at, Connection tx)
      throws SQLException {
    try (var update = tx.prepareStatement(END)) {
      update.setString(1, status.name());
      update.setString(2, reason);
      update.setTimestamp(3, Timestamp.from(at.time()));
      update.setString(4, at.aggregateId());
      if (update.executeUpdate() != 1) {
        throw new IllegalStateException(
            "transfer "
                + at.aggregateId()
                + " is not under way: an event is missing or came twice");
      }
    }
  }

  private static TransferView view(ResultSet row) throws SQLException {
    return new TransferView(
        row.getString("transfer_id"),
        row.getString("from_account"),
        row.getString("to_account"),
        row.getLong("amount"),
        Status.valueOf(row.getString("status")),
        row.getString("reason"),
        instant(row.getTimestamp("requested")),
        instant(row.getTimestamp("ended")));
  }

  private static Instant instant(Timestamp time) {
    return time == null ? null : time.toInstant();
  }
}
