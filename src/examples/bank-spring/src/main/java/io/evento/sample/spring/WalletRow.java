package io.evento.sample.spring;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;

/** What is known of a wallet for questions. */
@Entity
@Table(name = "spring_wallet")
public class WalletRow {
  @Id private String id;
  private String owner;
  private long balance;
  private int deposits;

  protected WalletRow() {}

  WalletRow(String id, String owner) {
    this.id = id;
    this.owner = owner;
  }

  void putIn(long amount) {
    balance += amount;
    deposits++;
  }

  void takeOut(long amount) {
    balance -= amount;
  }

  Wallets.WalletView view() {
    return new Wallets.WalletView(id, owner, balance, deposits);
  }
}
