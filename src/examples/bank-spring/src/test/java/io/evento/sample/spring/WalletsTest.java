package io.evento.sample.spring;

import io.evento.sample.spring.Wallet.CashPutIn;
import io.evento.sample.spring.Wallet.CashTakenOut;
import io.evento.sample.spring.Wallet.TakeOut;
import io.evento.sample.spring.Wallet.WalletOpened;
import io.evento.sample.spring.Wallets.FindWallet;
import io.evento.sample.spring.Wallets.WalletView;
import io.evento.spring.test.EventoFixtures;
import io.evento.spring.test.EventoTest;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** The application's own components, in its own container and with a real database. */
@EventoTest
class WalletsTest {
  private static EmbeddedPostgres postgres;

  @DynamicPropertySource
  static void database(DynamicPropertyRegistry settings) throws IOException {
    postgres = EmbeddedPostgres.start();
    settings.add("spring.datasource.url", () -> postgres.getJdbcUrl("postgres", "postgres"));
  }

  @AfterAll
  static void stop() throws IOException {
    postgres.close();
  }

  @Test
  void rows_follow_the_events(@Autowired EventoFixtures fixtures) {
    fixtures
        .projector(Wallets.class)
        .given(Wallet.class, "w-1", new WalletOpened("Ada"), new CashPutIn(5), new CashTakenOut(2))
        .thenAnswers(new FindWallet("w-1"), new WalletView("w-1", "Ada", 3, 1));
  }

  @Test
  void what_is_not_there_is_not_taken_out(@Autowired EventoFixtures fixtures) {
    fixtures
        .aggregate(Wallet.class)
        .given(new WalletOpened("Ada"), new CashPutIn(5))
        .when(new TakeOut("w-1", 6))
        .thenRejected("not-enough-money", "balance", 5);
  }
}
