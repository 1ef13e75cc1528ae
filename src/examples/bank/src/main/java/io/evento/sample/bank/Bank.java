package io.evento.sample.bank;

import io.evento.bundle.EventoBundle;
import io.evento.sample.bank.account.Account;
import io.evento.sample.bank.account.Accounts;
import io.evento.sample.bank.compliance.Compliance;
import io.evento.sample.bank.compliance.ComplianceFile;
import io.evento.sample.bank.compliance.LargeDeposit;
import io.evento.sample.bank.nickname.Nickname;
import io.evento.sample.bank.nickname.Nicknames;
import io.evento.sample.bank.transfer.Transfer;
import io.evento.sample.bank.transfer.TransferSaga;
import io.evento.sample.bank.transfer.Transfers;
import io.evento.sample.bank.web.Cluster;
import io.evento.sample.bank.web.Traffic;
import io.evento.sample.bank.web.WebEdge;

/**
 * A small bank: the sample of Evento. One process is one instance of the bundle; start as many as
 * you like. Read on at {@link Account}.
 */
public final class Bank {
  private Bank() {}

  public static void main(String[] args) throws Exception {
    var settings = Settings.of(System.getenv());
    try (var database = Database.open(settings);
        var compliance = ComplianceFile.open(settings.complianceFile());
        var bundle =
            EventoBundle.named("bank")
                .fromEnvironment() // EVENTO_SERVERS, EVENTO_TOKEN
                .register(
                    Account.class,
                    Transfer.class,
                    Nickname.class,
                    new Accounts(),
                    new Transfers(),
                    new TransferSaga(settings.transferDeadline()),
                    new Nicknames(),
                    new LargeDeposit(),
                    new Compliance(compliance))
                .jdbc(database)
                .start();
        var traffic = new Traffic(bundle.commands());
        var web =
            WebEdge.open(
                settings.address(),
                bundle,
                traffic,
                new Cluster(settings.servers(), settings.control(), settings.console()))) {
      System.out.println("The bank is open: " + web.url());
      bundle.awaitStop();
    }
  }
}
