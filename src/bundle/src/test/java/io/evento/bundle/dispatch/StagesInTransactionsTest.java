package io.evento.bundle.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Projector;
import io.evento.bundle.payload.PayloadMapper;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** Projectors with handlers that return stages, where a container opens the transactions. */
@NullUnmarked
class StagesInTransactionsTest {
  record Built() {}

  record Opened() {}

  @Projector(name = "sending")
  static class Sending {
    @EventHandler
    CompletionStage<Void> on(Built event) {
      throw new AssertionError();
    }
  }

  @Projector(name = "half-sending")
  static class HalfSending {
    @EventHandler
    CompletionStage<Void> on(Built event) {
      throw new AssertionError();
    }

    @EventHandler
    void on(Opened event) {}
  }

  private static Components read(Store store, Object projector) {
    return Components.of(List.of(projector), new PayloadMapper(), store, List.of());
  }

  @Test
  void a_handler_beside_one_that_returns_a_stage_would_lose_its_transaction_and_is_refused() {
    assertThatThrownBy(() -> read(Store.TRANSACTIONS, new HalfSending()))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageStartingWith(
            "HalfSending.on works in a transaction that ends when it returns: it must not return a"
                + " CompletionStage");
    assertThat(isTransactional(read(Store.CONNECTIONS, new HalfSending()), "half-sending:1"))
        .isFalse();
  }

  @Test
  void a_projector_whose_handlers_all_return_stages_works_outside_of_transactions() {
    assertThat(isTransactional(read(Store.TRANSACTIONS, new Sending()), "sending:1")).isFalse();
  }

  private static boolean isTransactional(Components read, String consumer) {
    return read.projectors().get(consumer).transactional();
  }
}
