package io.evento.sample.bank.compliance;

import io.evento.sample.bank.account.Account;
import io.evento.sample.bank.account.AccountEvent.MoneyDeposited;
import io.evento.testkit.ObserverFixture;
import org.junit.jupiter.api.Test;

class LargeDepositTest {
  private final ObserverFixture large = ObserverFixture.of(new LargeDeposit());

  @Test
  void a_deposit_of_ten_thousand_is_told() {
    large
        .when(Account.class, "a-1", new MoneyDeposited(999_999, "salary"))
        .thenSends()
        .when(Account.class, "a-1", new MoneyDeposited(1_000_000, "inheritance"))
        .thenSends(new NotifyCompliance("a-1", 1_000_000, 2));
  }

  @Test
  void money_that_moves_inside_is_not() {
    large.when(Account.class, "a-1", new MoneyDeposited(1_000_000, "transfer:t-1")).thenSends();
  }
}
