package shop;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import shop.Show.SeatReserved;
import shop.Show.ShowScheduled;

/** Which shows there are, in a table of the shop's own. */
@Projector(name = "shows", context = "shop")
public class Shows {
  public record FindShow(String show) {}

  public record ShowView(String title, int free) {}

  public Shows(DataSource database) throws SQLException {
    try (var connection = database.getConnection();
        var create = connection.createStatement()) {
      create.execute("create table if not exists show (id text primary key, title text, free int)");
    }
  }

  @EventHandler
  void scheduled(ShowScheduled event, EventMetadata of, Connection tx) throws SQLException {
    try (var insert = tx.prepareStatement("insert into show values (?, ?, ?)")) {
      insert.setString(1, of.aggregateId());
      insert.setString(2, event.title());
      insert.setInt(3, event.seats());
      insert.executeUpdate();
    }
  }

  @EventHandler
  void reserved(SeatReserved event, EventMetadata of, Connection tx) throws SQLException {
    try (var update = tx.prepareStatement("update show set free = free - 1 where id = ?")) {
      update.setString(1, of.aggregateId());
      update.executeUpdate();
    }
  }

  @QueryHandler
  ShowView find(FindShow query, Connection tx) throws SQLException {
    try (var select = tx.prepareStatement("select title, free from show where id = ?")) {
      select.setString(1, query.show());
      try (var row = select.executeQuery()) {
        return row.next() ? new ShowView(row.getString(1), row.getInt(2)) : null;
      }
    }
  }
}
