package io.evento.cdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.arjuna.ats.internal.jta.transaction.arjunacore.TransactionSynchronizationRegistryImple;
import io.evento.bundle.container.HandlerCall;
import jakarta.enterprise.inject.se.SeContainer;
import jakarta.enterprise.inject.se.SeContainerInitializer;
import jakarta.transaction.Status;
import jakarta.transaction.TransactionManager;
import java.util.concurrent.Callable;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Handlers that end a transaction, with a real transaction manager and no server: what passes the
 * server's own refusal by.
 */
@NullUnmarked
class TransactionGuardTest {
  private final TransactionManager manager =
      com.arjuna.ats.jta.TransactionManager.transactionManager();
  private SeContainer container;
  private TransactionGuard guard;

  @BeforeEach
  void start() {
    container =
        SeContainerInitializer.newInstance()
            .disableDiscovery()
            .addBeanClasses(OwnersTransaction.class)
            .initialize();
    guard =
        new TransactionGuard(
            container.getBeanManager(),
            TransactionSynchronizationRegistryImple::new,
            com.arjuna.ats.jta.UserTransaction::userTransaction);
  }

  @AfterEach
  void stop() throws Exception {
    if (manager.getStatus() != Status.STATUS_NO_TRANSACTION) {
      manager.rollback();
    }
    container.close();
  }

  private Object call(Callable<Object> handler) throws Exception {
    var method = TransactionGuardTest.class.getDeclaredMethod("start");
    return guard.around(new HandlerCall(TransactionGuardTest.class, method, null, null), handler);
  }

  @Test
  void a_handler_that_leaves_the_transaction_alone_is_called() throws Exception {
    manager.begin();
    assertThat(call(() -> "done")).isEqualTo("done");
  }

  @Test
  void a_handler_that_ends_it_fails_at_once_also_if_it_begins_another() throws Exception {
    manager.begin();
    assertThatThrownBy(
            () ->
                call(
                    () -> {
                      manager.commit();
                      return null;
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith(
            "TransactionGuardTest.start ended the transaction, which holds the checkpoint too");

    manager.begin();
    assertThatThrownBy(
            () ->
                call(
                    () -> {
                      manager.commit();
                      manager.begin();
                      return null;
                    }))
        .hasMessageContaining("ended the transaction");
  }

  @Test
  void a_handler_without_one_may_begin_and_end_what_it_wants() throws Exception {
    assertThat(
            call(
                () -> {
                  manager.begin();
                  manager.commit();
                  return "own";
                }))
        .isEqualTo("own");
  }

  @Test
  void a_handler_that_leaves_one_open_fails_and_the_next_finds_none() throws Exception {
    assertThatThrownBy(
            () ->
                call(
                    () -> {
                      manager.begin();
                      return "done";
                    }))
        .hasMessage("TransactionGuardTest.start left a transaction open: it is rolled back");
    assertThat(manager.getStatus()).isEqualTo(Status.STATUS_NO_TRANSACTION);

    var failure = new IllegalStateException("no");
    assertThatThrownBy(
            () ->
                call(
                    () -> {
                      manager.begin();
                      throw failure;
                    }))
        .isSameAs(failure);
    assertThat(manager.getStatus()).isEqualTo(Status.STATUS_NO_TRANSACTION);
  }
}
