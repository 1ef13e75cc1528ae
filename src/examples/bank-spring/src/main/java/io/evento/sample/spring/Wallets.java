package io.evento.sample.spring;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.sample.spring.Wallet.CashPutIn;
import io.evento.sample.spring.Wallet.CashTakenOut;
import io.evento.sample.spring.Wallet.WalletOpened;
import jakarta.persistence.EntityManager;

/**
 * Writes rows by JPA. They and the checkpoint are committed by one transaction, so that each event
 * is in them once, whatever happens to this process.
 */
@Projector(name = "wallets", context = "bank-spring")
public class Wallets {
  public record FindWallet(String walletId) {}

  public record WalletView(String walletId, String owner, long balance, int deposits) {}

  private final EntityManager rows;

  public Wallets(EntityManager rows) {
    this.rows = rows;
  }

  @EventHandler
  void opened(WalletOpened event, EventMetadata of) {
    rows.persist(new WalletRow(of.aggregateId(), event.owner()));
  }

  @EventHandler
  void putIn(CashPutIn event, EventMetadata of) {
    rows.find(WalletRow.class, of.aggregateId()).putIn(event.amount());
  }

  @EventHandler
  void takenOut(CashTakenOut event, EventMetadata of) {
    rows.find(WalletRow.class, of.aggregateId()).takeOut(event.amount());
  }

  @QueryHandler
  WalletView find(FindWallet query) {
    var row = rows.find(WalletRow.class, query.walletId());
    return row == null ? null : row.view();
  }
}
