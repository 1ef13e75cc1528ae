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
import io.evento.testkit.cluster.EmbeddedCluster;
import java.time.Duration;
import java.util.UUID;
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
    bank =
        cluster.start(
            EventoBundle.named("bank").register(Account.class, new Accounts()).jdbc(database));
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
