package io.evento.cdi;

import jakarta.enterprise.context.Dependent;
import jakarta.transaction.Transactional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * Calls something within a transaction that is its caller's to end: inside, the container refuses
 * each method of {@code UserTransaction}.
 */
@Dependent
public class OwnersTransaction {
  /** For the container. */
  public OwnersTransaction() {}

  /**
   * @throws Exception what the work throws
   */
  @Transactional(Transactional.TxType.MANDATORY)
  public @Nullable Object call(Callable<@Nullable Object> work) throws Exception {
    return work.call();
  }
}
