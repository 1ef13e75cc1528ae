package io.evento.deployment;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.transaction.UserTransaction;
import javax.naming.InitialContext;
import javax.sql.DataSource;

/**
 * Writes a row, and commits what is not its own to commit. Its name for the event is the bank's.
 */
@ApplicationScoped
@Projector(name = "committing", context = "bank-cdi")
@SuppressWarnings("BanJNDI") // constant names
public class Committing {
  public record CdiAccountOpened(String owner) {}

  @EventHandler
  void opened(CdiAccountOpened event, EventMetadata of) throws Exception {
    DataSource bank = InitialContext.doLookup("jdbc/bank");
    try (var connection = bank.getConnection();
        var insert =
            connection.prepareStatement("insert into cdi_account values (?, 'me', 0, 0)")) {
      insert.setString(1, "committed-" + of.aggregateId());
      insert.executeUpdate();
    }
    UserTransaction transaction = InitialContext.doLookup("java:comp/UserTransaction");
    transaction.commit();
  }
}
