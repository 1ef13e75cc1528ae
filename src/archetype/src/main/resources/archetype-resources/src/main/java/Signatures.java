package ${package};

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** Makes a table of events. Its rows, and how far it is, are one transaction. */
@Projector(name = "signatures", context = "guests")
public class Signatures {
  public record FindGuests(String guestbook) {}

  public Signatures(DataSource database) throws SQLException {
    try (var connection = database.getConnection();
        var statement = connection.createStatement()) {
      statement.execute(
          "create table if not exists signature"
              + " (guestbook text, number bigint, guest text, primary key (guestbook, number))");
    }
  }

  @EventHandler
  void on(Guestbook.GuestbookSigned event, EventMetadata of, Connection transaction)
      throws SQLException {
    try (var insert = transaction.prepareStatement("insert into signature values (?, ?, ?)")) {
      insert.setString(1, of.aggregateId());
      insert.setLong(2, of.version());
      insert.setString(3, event.guest());
      insert.executeUpdate();
    }
  }

  @QueryHandler
  List<String> find(FindGuests query, Connection transaction) throws SQLException {
    try (var select =
        transaction.prepareStatement(
            "select guest from signature where guestbook = ? order by number")) {
      select.setString(1, query.guestbook());
      try (var row = select.executeQuery()) {
        var guests = new ArrayList<String>();
        while (row.next()) {
          guests.add(row.getString(1));
        }
        return guests;
      }
    }
  }
}
