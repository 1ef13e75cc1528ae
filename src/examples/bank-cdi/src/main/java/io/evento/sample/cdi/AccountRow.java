package io.evento.sample.cdi;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;

/** What is known of an account for questions. */
@Entity
@Table(name = "cdi_account")
public class AccountRow {
  @Id private String id;
  private String owner;
  private long balance;
  private int deposits;

  protected AccountRow() {}

  AccountRow(String id, String owner) {
    this.id = id;
    this.owner = owner;
  }

  void payIn(long amount) {
    balance += amount;
    deposits++;
  }

  void payOut(long amount) {
    balance -= amount;
  }

  Accounts.AccountView view() {
    return new Accounts.AccountView(id, owner, balance, deposits);
  }
}
