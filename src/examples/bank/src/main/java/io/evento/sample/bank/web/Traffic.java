package io.evento.sample.bank.web;

import static io.evento.bundle.gateway.CommandOptions.options;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.evento.bundle.gateway.CommandGateway;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Receipt;
import io.evento.sample.bank.account.AccountCommand.Deposit;
import io.evento.sample.bank.account.AccountCommand.OpenAccount;
import io.evento.sample.bank.account.AccountCommand.Withdraw;
import io.evento.sample.bank.account.Rules;
import io.evento.sample.bank.transfer.TransferCommand.RequestTransfer;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;

/**
 * Random deposits, withdrawals and transfers, so many a second as wished. At most 64 are under way:
 * when the cluster is slow fewer are sent, as impatient customers walk away.
 */
public final class Traffic implements AutoCloseable {
  private static final int RATE_MAX = 500;
  private static final int ACCOUNTS = 100;
  private static final int UNDER_WAY_MAX = 64;
  private static final int TICK_MILLIS = 10;
  private static final long TROUBLE_NANOS = Duration.ofSeconds(5).toNanos();

  private final CommandGateway commands;
  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
  private final Semaphore free = new Semaphore(UNDER_WAY_MAX);
  private final Set<String> opened = ConcurrentHashMap.newKeySet();
  private final LongAdder acknowledged = new LongAdder();
  private final LongAdder rejected = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final Latencies latencies = new Latencies();
  private volatile int rate;
  private volatile Trouble trouble;
  private Future<?> ticking; // guarded by this; null while nothing moves
  private double due; // known to the clock's thread alone

  public Traffic(CommandGateway commands) {
    this.commands = commands;
  }

  /** The clock ticks only while somebody wants something to move. */
  synchronized View follow(Wish wish) {
    rate = wish.rate();
    if (rate > 0 && ticking == null) {
      ticking = clock.scheduleAtFixedRate(this::tick, TICK_MILLIS, TICK_MILLIS, MILLISECONDS);
    } else if (rate == 0 && ticking != null) {
      ticking.cancel(false);
      ticking = null;
    }
    return view();
  }

  View view() {
    var now = System.nanoTime();
    var took = latencies.at(now);
    var last = trouble;
    return new View(
        rate,
        ACCOUNTS,
        UNDER_WAY_MAX,
        acknowledged.sum(),
        rejected.sum(),
        failed.sum(),
        UNDER_WAY_MAX - free.availablePermits(),
        took.p50(),
        took.p99(),
        last == null || now - last.atNanos() > TROUBLE_NANOS ? null : last.sentence());
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }

  private void tick() {
    due += rate * TICK_MILLIS / 1_000.0;
    for (; due >= 1; due--) {
      if (free.tryAcquire()) {
        var started = System.nanoTime();
        send(anyAccount()).whenComplete((receipt, failure) -> count(started, failure));
      }
    }
  }

  private static String anyAccount() {
    return "traffic-%03d".formatted(ThreadLocalRandom.current().nextInt(ACCOUNTS) + 1);
  }

  private CompletionStage<Receipt> send(String account) {
    if (opened.contains(account)) {
      return commands.sendAsync(randomMovement(account));
    }
    // The id comes from the account's name: whichever bank opens it, today or tomorrow, it is the
    // same command, and all but the first are told the outcome of the first.
    var id = UUID.nameUUIDFromBytes(("open " + account).getBytes(UTF_8));
    return commands
        .sendAsync(new OpenAccount(account, "Random traffic"), options().withId(id))
        .whenComplete(
            (receipt, failure) -> {
              if (failure == null) {
                opened.add(account);
              }
            });
  }

  private static Object randomMovement(String account) {
    var random = ThreadLocalRandom.current();
    var amount = random.nextLong(1, 1_001);
    // One in twenty asks for more than anybody has: refusals belong to the picture.
    return switch (random.nextInt(20)) {
      case 0 -> new Withdraw(account, Rules.AMOUNT_MAX, "all of it, please");
      case 1, 2, 3, 4, 5 -> new Withdraw(account, amount, "shopping");
      case 6, 7, 8, 9 -> transfer(account, anyAccount(), amount);
      default -> new Deposit(account, amount, "earnings");
    };
  }

  /** To an account that may not be open yet: then the money comes back. */
  private static Object transfer(String from, String to, long amount) {
    return from.equals(to)
        ? new Deposit(to, amount, "earnings")
        : new RequestTransfer(UUID.randomUUID().toString(), from, to, amount);
  }

  private void count(long started, Throwable failure) {
    var now = System.nanoTime();
    var cause = failure instanceof CompletionException ? failure.getCause() : failure;
    if (cause == null) {
      acknowledged.increment();
      latencies.add(started, now);
    } else if (cause instanceof EventoException told && told.code() == ErrorCode.REJECTED) {
      rejected.increment();
      latencies.add(started, now);
    } else {
      failed.increment();
      var code = cause instanceof EventoException told ? told.code().wire() + ": " : "";
      trouble = new Trouble(code + cause.getMessage(), now);
    }
    free.release();
  }

  /** How many movements a second somebody wants, 0 to 500. */
  record Wish(int rate) {
    Wish {
      if (rate < 0 || rate > RATE_MAX) {
        throw new IllegalArgumentException("rate must be 0 to " + RATE_MAX + ", is " + rate);
      }
    }
  }

  /**
   * Counts are those since the start, latencies those of the last ten seconds.
   *
   * @param trouble what failed in the last five seconds; null if nothing did
   */
  record View(
      int rate,
      int accounts,
      int underWayMax,
      long acknowledged,
      long rejected,
      long failed,
      int underWay,
      Double p50Millis,
      Double p99Millis,
      String trouble) {}

  private record Trouble(String sentence, long atNanos) {}
}
