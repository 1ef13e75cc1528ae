package io.evento.sample.bank;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.zaxxer.hikari.HikariDataSource;
import io.evento.bundle.EventoBundle;
import io.evento.protocol.EventoException;
import io.evento.sample.bank.account.Account;
import io.evento.sample.bank.account.AccountCommand.Deposit;
import io.evento.sample.bank.account.AccountCommand.OpenAccount;
import io.evento.sample.bank.account.AccountCommand.Withdraw;
import io.evento.sample.bank.account.AccountQuery.AccountView;
import io.evento.sample.bank.account.AccountQuery.FindAccount;
import io.evento.sample.bank.account.Accounts;
import io.evento.sample.bank.nickname.Nickname;
import io.evento.sample.bank.nickname.NicknameCommand.ChooseNickname;
import io.evento.sample.bank.nickname.Nicknames;
import io.evento.sample.bank.transfer.Transfer;
import io.evento.sample.bank.transfer.Transfer.Status;
import io.evento.sample.bank.transfer.TransferCommand.RequestTransfer;
import io.evento.sample.bank.transfer.TransferQuery.FindTransfer;
import io.evento.sample.bank.transfer.TransferQuery.TransferView;
import io.evento.sample.bank.transfer.TransferSaga;
import io.evento.sample.bank.transfer.Transfers;
import io.evento.testkit.cluster.EmbeddedCluster;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The same bundle against a real node: what the other tests take for granted is true of it. */
class BankOnAClusterTest {
  @RegisterExtension static final EmbeddedCluster cluster = EmbeddedCluster.ofNodes(1);

  private static HikariDataSource database;
  private static EventoBundle bank;

  private final String account = "a-" + UUID.randomUUID();

  @BeforeAll
  static void open() throws Exception {
    database = new HikariDataSource();
    database.setJdbcUrl(cluster.jdbcUrl());
    Accounts.createTable(database);
    Transfers.createTable(database);
    Nicknames.createTable(database);
    bank =
        cluster.start(
            EventoBundle.named("bank")
                .register(
                    Account.class,
                    Transfer.class,
                    Nickname.class,
                    new Accounts(),
                    new Transfers(),
                    new TransferSaga(Duration.ofSeconds(20)),
                    new Nicknames())
                .jdbc(database));
  }

  @AfterAll
  static void close() {
    database.close();
  }

  @Test
  void what_was_paid_in_is_seen() {
    bank.commands().send(new OpenAccount(account, "Ada"));
    var paid = bank.commands().send(new Deposit(account, 500, "salary"));
    assertEquals(2, paid.aggregate().version());
    awaitBalance(500);
  }

  @Test
  void a_refusal_names_its_rule() {
    bank.commands().send(new OpenAccount(account, "Ada"));
    var refused =
        assertThrows(
            EventoException.class, () -> bank.commands().send(new Withdraw(account, 1, "")));
    assertEquals("insufficient-funds", refused.rejection().code());
  }

  @Test
  void a_transfer_takes_money_to_the_other_account() {
    var other = "b-" + account;
    bank.commands().send(new OpenAccount(account, "Ada"));
    bank.commands().send(new OpenAccount(other, "Bob"));
    bank.commands().send(new Deposit(account, 500, "salary"));
    bank.commands().send(new RequestTransfer("t-" + account, account, other, 200));
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> bank.queries().ask(new FindTransfer("t-" + account), TransferView.class),
            view -> view != null && view.status() == Status.COMPLETED);
    awaitBalance(300);
  }

  @Test
  void two_accounts_never_get_the_same_nickname() {
    var name = account.substring(0, 20);
    var one = bank.commands().sendAsync(new ChooseNickname(account, name));
    var two = bank.commands().sendAsync(new ChooseNickname("b-" + account, name));
    var outcomes =
        Stream.of(one, two)
            .map(stage -> stage.handle((done, refused) -> refused == null ? "chosen" : "refused"))
            .map(stage -> stage.toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join())
            .sorted()
            .toList();
    assertEquals(List.of("chosen", "refused"), outcomes);
  }

  @Test
  void a_killed_node_comes_back_with_all_that_it_acknowledged() throws Exception {
    bank.commands().send(new OpenAccount(account, "Ada"));
    var node = cluster.members().get(0);
    node.kill();
    cluster.start(node);
    await()
        .atMost(Duration.ofSeconds(20))
        .ignoreExceptionsInstanceOf(EventoException.class)
        .until(() -> bank.commands().send(new Deposit(account, 500, "salary")) != null);
    awaitBalance(500);
  }

  private void awaitBalance(long balance) {
    await()
        .atMost(Duration.ofSeconds(20))
        .ignoreExceptionsInstanceOf(EventoException.class)
        .until(
            () -> bank.queries().ask(new FindAccount(account), AccountView.class),
            view -> view != null && view.balance() == balance);
  }
}
