package io.evento.sample.cdi;

import io.evento.sample.cdi.CdiAccount.CdiAccountOpened;
import io.evento.sample.cdi.CdiAccount.PaidIn;
import io.evento.sample.cdi.CdiAccount.PaidOut;
import io.evento.sample.cdi.CdiAccount.PayOut;
import io.evento.testkit.AggregateFixture;
import org.junit.jupiter.api.Test;

class CdiAccountTest {
  private final AggregateFixture<CdiAccount> account = AggregateFixture.of(CdiAccount.class);

  @Test
  void what_is_there_is_paid_out() {
    account
        .given(new CdiAccountOpened("Ada"), new PaidIn(5))
        .when(new PayOut("a-1", 5))
        .thenEvents(new PaidOut(5));
  }

  @Test
  void what_is_not_there_is_not_paid_out() {
    account
        .given(new CdiAccountOpened("Ada"), new PaidIn(5))
        .when(new PayOut("a-1", 6))
        .thenRejected("not-enough-money");
  }
}
