package io.evento.sample.bank.nickname;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.sample.bank.nickname.NicknameEvent.NicknameChosen;
import io.evento.sample.bank.nickname.NicknameEvent.NicknameReleased;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * Who has which nickname. One segment: the names that accounts give up and take come from streams
 * of their own, and only in one segment all of them come in the order in which they were decided.
 */
@Projector(name = "nicknames", version = 1, context = "bank", segments = 1)
public class Nicknames {
  private static final String TABLE =
      """
      create table if not exists nickname (
        account_id text collate "C" primary key,
        nickname   text collate "C" not null unique
      )
      """;

  private static final String INSERT = "insert into nickname values (?, ?)";

  private static final String DELETE = "delete from nickname where account_id = ? and nickname = ?";

  private static final String FIND = "select account_id from nickname where nickname = ?";

  /** Answered with a {@link NicknameView}, or null if nobody has that nickname. */
  public record FindNickname(String nickname) {}

  public record NicknameView(String nickname, String accountId) {}

  /** Makes the table if it is not there yet. */
  public static void createTable(DataSource database) throws SQLException {
    try (var connection = database.getConnection();
        var statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      // Two banks may start at once, and PostgreSQL's "if not exists" is no match for that.
      statement.execute("select pg_advisory_xact_lock(hashtext('bank.nickname'))");
      statement.execute(TABLE);
      connection.commit();
    }
  }

  @EventHandler
  void on(NicknameChosen event, Connection tx) throws SQLException {
    change(INSERT, event.accountId(), event.nickname(), tx);
  }

  @EventHandler
  void on(NicknameReleased event, Connection tx) throws SQLException {
    change(DELETE, event.accountId(), event.nickname(), tx);
  }

  @QueryHandler
  NicknameView find(FindNickname query, Connection connection) throws SQLException {
    try (var select = connection.prepareStatement(FIND)) {
      select.setString(1, query.nickname());
      var rows = select.executeQuery();
      return rows.next() ? new NicknameView(query.nickname(), rows.getString(1)) : null;
    }
  }

  private static void change(String sql, String account, String nickname, Connection tx)
      throws SQLException {
    try (var change = tx.prepareStatement(sql)) {
      change.setString(1, account);
      change.setString(2, nickname);
      if (change.executeUpdate() != 1) {
        throw new IllegalStateException(account + " is not called " + nickname);
      }
    }
  }
}
