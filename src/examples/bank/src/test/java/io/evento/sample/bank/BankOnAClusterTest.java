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
import io.evento.sample.bank.account.AccountQuery.Sums;
import io.evento.sample.bank.account.AccountQuery.Totals;
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
import io.evento.sample.bank.web.Cluster;
import io.evento.sample.bank.web.Traffic;
import io.evento.sample.bank.web.WebEdge;
import io.evento.testkit.cluster.EmbeddedCluster;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
  void the_page_is_told_the_totals_as_they_change() throws Exception {
    bank.commands().send(new OpenAccount(account, "Ada"));
    try (var traffic = new Traffic(bank.commands());
        var web =
            WebEdge.open(
                new InetSocketAddress("127.0.0.1", 0),
                bank,
                traffic,
                new Cluster(List.of(), Optional.empty(), Optional.empty()))) {
      var live = URI.create(web.url()).resolve("/api/totals/live");
      var told = new CopyOnWriteArrayList<String>();
      HttpClient.newHttpClient()
          .sendAsync(
              HttpRequest.newBuilder(live).build(),
              BodyHandlers.fromLineSubscriber(new Lines(told)));
      await().atMost(Duration.ofSeconds(20)).until(() -> deposited(told) >= 0);
      var before = deposited(told);
      bank.commands().send(new Deposit(account, 500, "salary"));
      await().atMost(Duration.ofSeconds(20)).until(() -> deposited(told) >= before + 500);
      awaitBalance(500);
      assertEquals(
          bank.queries().ask(new Totals(), Sums.class).deposited(),
          deposited(told),
          "told and asked");
    }
  }

  /** As last told; -1 for nothing yet. */
  private static long deposited(List<String> told) {
    return told.stream()
        .map(Pattern.compile("\"deposited\":(\\d+).*\"holds\":true")::matcher)
        .filter(Matcher::find)
        .mapToLong(found -> Long.parseLong(found.group(1)))
        .reduce(-1, (earlier, later) -> later);
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

  /** Gathers the lines of an answer that has no end. */
  private record Lines(List<String> lines) implements Flow.Subscriber<String> {
    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(String line) {
      lines.add(line);
    }

    @Override
    public void onError(Throwable failure) {
      lines.add("error: " + failure);
    }

    @Override
    public void onComplete() {}
  }
}
