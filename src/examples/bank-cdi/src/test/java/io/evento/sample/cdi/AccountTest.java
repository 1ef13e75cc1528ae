package io.evento.sample.cdi;

import io.evento.sample.cdi.Account.CdiAccountOpened;
import io.evento.sample.cdi.Account.PaidIn;
import io.evento.sample.cdi.Account.PaidOut;
import io.evento.sample.cdi.Account.PayOut;
import io.evento.testkit.AggregateFixture;
import org.junit.jupiter.api.Test;

class AccountTest {
  private final AggregateFixture<Account> account = AggregateFixture.of(Account.class);

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
