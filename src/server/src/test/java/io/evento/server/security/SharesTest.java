package io.evento.server.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.setting.Setting;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SharesTest {
  private final Shares shares =
      new Shares(
          setting ->
              switch (setting) {
                case SESSIONS_PER_CREDENTIAL_MAX -> 2;
                case SESSIONS_PER_ADDRESS_MAX -> 3;
                default -> setting.standard();
              });

  @Test
  void a_credential_has_as_many_as_it_may_and_not_one_more() {
    var bank = bundle("192.0.2.1");
    shares.take(Shares.Of.SESSIONS, bank);
    shares.take(Shares.Of.SESSIONS, bank);
    assertRefused(bank, "this credential has 2 sessions", Setting.SESSIONS_PER_CREDENTIAL_MAX);
    shares.giveBack(Shares.Of.SESSIONS, bank);
    shares.take(Shares.Of.SESSIONS, bank);
  }

  @Test
  void so_has_an_address_whoever_comes_from_there() {
    shares.take(Shares.Of.SESSIONS, bundle("192.0.2.1"));
    shares.take(Shares.Of.SESSIONS, bundle("192.0.2.1"));
    shares.take(Shares.Of.SESSIONS, bundle("192.0.2.1"));
    var fourth = bundle("192.0.2.1");
    assertRefused(fourth, "this address has 3 sessions", Setting.SESSIONS_PER_ADDRESS_MAX);
    shares.take(Shares.Of.SESSIONS, bundle("192.0.2.2"));
    shares.take(Shares.Of.LIVE_READERS, fourth);
  }

  @Test
  void whoever_has_nothing_is_not_remembered() {
    var bank = bundle("192.0.2.1");
    shares.take(Shares.Of.SESSIONS, bank);
    assertThat(shares.size()).isEqualTo(2);
    shares.giveBack(Shares.Of.SESSIONS, bank);
    assertThat(shares.size()).isZero();
    shares.take(Shares.Of.SESSIONS, bundle("192.0.2.1"));
    shares.take(Shares.Of.SESSIONS, bundle("192.0.2.1"));
    shares.take(Shares.Of.SESSIONS, bundle("192.0.2.1"));
    var before = shares.size();
    assertRefused(bundle("192.0.2.1"), "this address", Setting.SESSIONS_PER_ADDRESS_MAX);
    assertThat(shares.size()).isEqualTo(before);
  }

  @Test
  void the_developer_of_an_open_node_has_all_of_it() {
    for (var i = 0; i < 100; i++) {
      shares.take(Shares.Of.SESSIONS, Caller.developer("127.0.0.1"));
    }
    assertThat(shares.size()).isZero();
  }

  @Test
  void of_many_at_once_never_more_than_the_limit_have_one_and_none_is_lost() throws Exception {
    var bank = bundle("192.0.2.1");
    var have = new AtomicInteger();
    var most = new AtomicInteger();
    var begin = new CountDownLatch(1);
    var threads = new ArrayList<Thread>();
    for (var i = 0; i < 8; i++) {
      var thread =
          new Thread(
              () -> {
                try {
                  begin.await(10, TimeUnit.SECONDS);
                } catch (InterruptedException stopped) {
                  Thread.currentThread().interrupt();
                }
                for (var round = 0; round < 20_000; round++) {
                  try {
                    shares.take(Shares.Of.SESSIONS, bank);
                  } catch (EventoException refused) {
                    continue;
                  }
                  most.accumulateAndGet(have.incrementAndGet(), Math::max);
                  if (ThreadLocalRandom.current().nextInt(4) == 0) {
                    Thread.yield();
                  }
                  have.decrementAndGet();
                  shares.giveBack(Shares.Of.SESSIONS, bank);
                }
              });
      thread.start();
      threads.add(thread);
    }
    begin.countDown();
    for (var thread : threads) {
      thread.join();
    }
    assertThat(most.get()).isBetween(1, 2);
    assertThat(shares.size()).isZero();
  }

  private void assertRefused(Caller caller, String who, Setting limit) {
    assertThatThrownBy(() -> shares.take(Shares.Of.SESSIONS, caller))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.OVERLOADED);
              assertThat(told.detail()).contains(who, limit.key());
            });
  }

  private static Caller bundle(String address) {
    return new Caller(Caller.Kind.BUNDLE, "bank", Set.of(), List.of(), UUID.randomUUID(), address);
  }
}
