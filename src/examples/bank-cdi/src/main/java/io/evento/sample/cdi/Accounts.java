package io.evento.sample.cdi;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.sample.cdi.CdiAccount.CdiAccountOpened;
import io.evento.sample.cdi.CdiAccount.PaidIn;
import io.evento.sample.cdi.CdiAccount.PaidOut;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.persistence.EntityManager;
import jakarta.persistence.PersistenceContext;

/**
 * Writes rows by JPA. They and the checkpoint are committed by one transaction of the container, so
 * that each event is in them once, whatever happens to this process.
 */
@ApplicationScoped
@Projector(name = "cdi-accounts", context = "bank-cdi")
public class Accounts {
  public record FindCdiAccount(String accountId) {}

  public record AccountView(String accountId, String owner, long balance, int deposits) {}

  @PersistenceContext private EntityManager rows;

  @EventHandler
  void opened(CdiAccountOpened event, EventMetadata of) {
    rows.persist(new AccountRow(of.aggregateId(), event.owner()));
  }

  @EventHandler
  void paidIn(PaidIn event, EventMetadata of) {
    rows.find(AccountRow.class, of.aggregateId()).payIn(event.amount());
  }

  @EventHandler
  void paidOut(PaidOut event, EventMetadata of) {
    rows.find(AccountRow.class, of.aggregateId()).payOut(event.amount());
  }

  @QueryHandler
  AccountView find(FindCdiAccount query) {
    var row = rows.find(AccountRow.class, query.accountId());
    return row == null ? null : row.view();
  }
}
