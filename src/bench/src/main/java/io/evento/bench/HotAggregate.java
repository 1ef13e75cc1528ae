package io.evento.bench;

import io.evento.bench.Bench.Deposit;
import io.evento.bench.Bench.OpenAccount;
import io.evento.bundle.EventoBundle;
import io.evento.protocol.Receipt;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * One account that everybody wants: in a closed loop, and cold, which is an account that was just
 * opened and has 64 commands waiting at once. Beside the rates stands how many commands a call of
 * the append stored.
 */
final class HotAggregate {
  private static final int CALLERS = 64;

  /** In the middle of so many cold ones. */
  private static final int COLD = 15;

  private final Target target;
  private final EventoBundle bundle;

  HotAggregate(Target target, EventoBundle bundle) {
    this.target = target;
    this.bundle = bundle;
  }

  void run(Duration leadIn, Duration length) throws Exception {
    var account = opened();
    new Load("one hot aggregate, 64 callers", CALLERS, target)
        .run(leadIn, length, caller -> () -> bundle.commands().send(new Deposit(account, 1, "")));
    System.out.printf("%34s commands a call %.1f%n", "", commandsPerCall(account));
    cold();
  }

  private void cold() throws Exception {
    var millis = new ArrayList<Double>();
    var calls = 0.0;
    for (var round = 0; round < COLD; round++) {
      var account = opened();
      var begun = System.nanoTime();
      var told = new ArrayList<CompletionStage<Receipt>>();
      for (var i = 0; i < CALLERS; i++) {
        told.add(bundle.commands().sendAsync(new Deposit(account, 1, "")));
      }
      CompletableFuture.allOf(
              told.stream()
                  .map(CompletionStage::toCompletableFuture)
                  .toArray(CompletableFuture<?>[]::new))
          .get();
      millis.add((System.nanoTime() - begun) / 1e6);
      calls += commandsPerCall(account);
    }
    millis.sort(Double::compare);
    var median = millis.get(COLD / 2);
    System.out.printf(
        "%-34s %8.0f /s   all after %.1f ms, at most %.1f; commands a call %.1f%n",
        "the same, cold, 64 waiting",
        CALLERS / median * 1_000,
        median,
        millis.get(COLD - 1),
        calls / COLD);
  }

  private String opened() {
    var account = "hot-" + UUID.randomUUID();
    bundle.commands().send(new OpenAccount(account, "bench"));
    return account;
  }

  private double commandsPerCall(String account) throws SQLException {
    try (var connection = DriverManager.getConnection(target.jdbcUrl(), "evento_owner", "owner");
        var select =
            connection.prepareStatement(
                """
                select count(distinct command_id)::float8 / count(distinct xmin::text)
                  from evento.event where stream_id = ?
                """)) {
      select.setString(1, "Account:" + account);
      try (var row = select.executeQuery()) {
        row.next();
        return row.getDouble(1);
      }
    }
  }
}
