package io.evento.cdi;

import io.evento.bundle.container.HandlerCall;
import io.evento.bundle.container.HandlerInterceptor;
import jakarta.enterprise.inject.spi.BeanManager;
import jakarta.transaction.SystemException;
import jakarta.transaction.TransactionSynchronizationRegistry;
import jakarta.transaction.UserTransaction;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps handlers from leaving a transaction of their own on the thread, and from ending the
 * transaction that holds the checkpoint: its first statement has moved the checkpoint behind events
 * that are still to be handled, so who commits it loses them. The container refuses {@code
 * UserTransaction} inside; what passes it by is noticed after the handler that did it.
 */
final class TransactionGuard implements HandlerInterceptor {
  private static final Logger LOG = System.getLogger(TransactionGuard.class.getName());

  private final BeanManager manager;
  private final Supplier<TransactionSynchronizationRegistry> registry;
  private final Supplier<UserTransaction> transaction;

  TransactionGuard(
      BeanManager manager,
      Supplier<TransactionSynchronizationRegistry> registry,
      Supplier<UserTransaction> transaction) {
    this.manager = manager;
    this.registry = registry;
    this.transaction = transaction;
  }

  @Override
  public @Nullable Object around(HandlerCall call, Callable<@Nullable Object> next)
      throws Exception {
    var transactions = registry.get();
    var ours = transactions.getTransactionKey();
    return ours == null ? aroundOwn(call, next, transactions) : aroundOurs(call, next, ours);
  }

  /** Whatever the handler begins it has to end: the next one on this thread would work in it. */
  private @Nullable Object aroundOwn(
      HandlerCall call,
      Callable<@Nullable Object> next,
      TransactionSynchronizationRegistry transactions)
      throws Exception {
    Object done;
    try {
      done = next.call();
    } catch (Exception | Error failure) {
      if (transactions.getTransactionKey() != null) {
        failure.addSuppressed(endLeft(call));
      }
      throw failure;
    }
    if (transactions.getTransactionKey() != null) {
      throw endLeft(call);
    }
    return done;
  }

  private IllegalStateException endLeft(HandlerCall call) {
    var left =
        new IllegalStateException(call.name() + " left a transaction open: it is rolled back");
    try {
      transaction.get().rollback();
    } catch (SystemException | RuntimeException broken) {
      left.addSuppressed(broken);
    }
    return left;
  }

  private @Nullable Object aroundOurs(
      HandlerCall call, Callable<@Nullable Object> next, Object ours) throws Exception {
    // Made for each call: interceptors of servers remember in their fields what to put back.
    var owners = manager.createInstance().select(OwnersTransaction.class);
    var owner = owners.get();
    Object done;
    try {
      done = owner.call(next);
    } catch (Exception | Error failure) {
      var ended = ended(call, ours);
      if (ended != null) {
        failure.addSuppressed(ended);
      }
      throw failure;
    } finally {
      owners.destroy(owner);
    }
    var ended = ended(call, ours);
    if (ended != null) {
      throw ended;
    }
    return done;
  }

  /** Logged here: of several events in a batch nobody is told why they are tried one by one. */
  private @Nullable IllegalStateException ended(HandlerCall call, Object ours) {
    if (ours.equals(registry.get().getTransactionKey())) {
      return null;
    }
    var ended =
        new IllegalStateException(
            call.name()
                + " ended the transaction, which holds the checkpoint too: what must not be part of"
                + " it belongs in a bean with @Transactional(REQUIRES_NEW). Events of its batch may"
                + " be passed over: reset the consumer");
    LOG.log(Level.ERROR, ended.getMessage());
    return ended;
  }
}
