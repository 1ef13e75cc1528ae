package io.evento.server.personal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.EventType;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.PersonalMessage;
import io.evento.protocol.PersonalMessage.SubjectKey;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.security.Caller;
import io.evento.server.security.Right;
import io.evento.server.security.Scope;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whose keys a token may have, and how many it may make. */
class KeyRightsTest {
  private static final String ADA = PersonalMessage.hash("ada");
  private static final String BOB = PersonalMessage.hash("bob");
  private static final String CAROL = PersonalMessage.hash("carol");

  @TempDir Path files;
  private TestDatabase database;
  private PersonalNode node;

  @BeforeEach
  void open() throws IOException {
    database = PostgresFixture.shared().migrated();
    var key = new byte[32];
    new SecureRandom().nextBytes(key);
    var master = files.resolve("master");
    Files.writeString(master, Base64.getEncoder().encodeToString(key) + "\n");
    node = new PersonalNode(database, "a", PersonalNode.config(master, files.resolve("erased")));
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> node.node.store.appender.isReady() && node.node.membership.isBeating());
    node.start();
    declare("Accounts", "bank", "OpenAccount");
    declare("Mails", "mail", "SendMail");
  }

  @AfterEach
  void close() {
    node.close();
    database.close();
  }

  private void declare(String service, String context, String command) {
    var component =
        new Component(
            ComponentKind.SERVICE,
            service,
            0,
            context,
            List.of(new CommandType(command, null, null)),
            List.of(),
            List.of(),
            null,
            null);
    StoreNode.await(node.node.catalog.declare(context, List.of(component), Optional.empty()));
  }

  private static Caller token(Scope... scopes) {
    return new Caller(
        Caller.Kind.BUNDLE, "some", Set.of(), List.of(scopes), UUID.randomUUID(), "192.0.2.1");
  }

  private static Caller personal(String... contexts) {
    return token(
        Stream.of(contexts)
            .map(context -> new Scope(Right.PERSONAL, context, "*"))
            .toArray(Scope[]::new));
  }

  private static void isRefused(ErrorCode code, String said, ThrowingCallable work) {
    assertThatThrownBy(work)
        .satisfies(
            thrown -> {
              var told = thrown instanceof EventoException ? thrown : thrown.getCause();
              assertThat(told)
                  .hasMessageContaining(said)
                  .isInstanceOfSatisfying(
                      EventoException.class, one -> assertThat(one.code()).isEqualTo(code));
            });
  }

  @Test
  void who_hosts_sends_and_reads_everything_has_no_key_by_that() {
    var all =
        token(
            new Scope(Right.HOST, "*", "*"),
            new Scope(Right.SEND, "*", "*"),
            new Scope(Right.READ, "*", "*"));
    node.make(personal("bank"), "OpenAccount", ADA);
    isRefused(ErrorCode.FORBIDDEN, "lacks the right personal", () -> node.find(all, ADA));
    isRefused(
        ErrorCode.FORBIDDEN, "lacks the right personal", () -> node.make(all, "OpenAccount", BOB));
    assertThat(node.find(BOB).keys()).isEmpty();
  }

  @Test
  void what_a_context_wrote_of_a_person_is_not_read_by_the_keys_of_another() {
    var bank = node.make(personal("bank"), "OpenAccount", ADA).keys();
    var mail = node.make(personal("mail"), "SendMail", ADA).keys();
    assertThat(bank).singleElement().extracting(SubjectKey::version).isEqualTo(1);
    assertThat(mail).singleElement().extracting(SubjectKey::version).isEqualTo(2);
    assertThat(mail.get(0).key()).isNotEqualTo(bank.get(0).key());
    assertThat(node.find(personal("bank"), ADA).keys())
        .singleElement()
        .extracting(SubjectKey::version)
        .isEqualTo(1);
    assertThat(node.find(personal("ma*"), ADA).keys())
        .singleElement()
        .extracting(SubjectKey::version)
        .isEqualTo(2);
    assertThat(node.find(personal("bank", "mail"), ADA).keys()).hasSize(2);
    assertThat(node.make(personal("bank"), "OpenAccount", ADA).keys().get(0).key())
        .isEqualTo(bank.get(0).key());
    assertThat(node.erasures.erase("ada", "root", "192.0.2.1", "asked").keys()).isEqualTo(2);
    assertThat(node.find(personal("bank", "mail"), ADA).erased()).containsExactly(ADA);
  }

  @Test
  void nobody_writes_where_it_lacks_the_right() {
    isRefused(
        ErrorCode.FORBIDDEN,
        "lacks the right personal for SendMail in context mail",
        () -> node.make(personal("bank"), "SendMail", ADA));
    // The state of a component, which is no declared type, is of where the bundle hosts.
    assertThat(node.make(personal("bank"), "AccountState", ADA).keys()).hasSize(1);
    isRefused(
        ErrorCode.FORBIDDEN,
        "no context declares MailState",
        () -> node.make(personal("mail"), "MailState", ADA));
    // One of an earlier release names no type: it writes where all that it hosts is.
    isRefused(
        ErrorCode.FORBIDDEN,
        "lacks the right personal",
        () -> node.make(personal("mail"), null, ADA));
    assertThat(node.make(personal("bank", "mail"), null, ADA).keys()).hasSize(1);
    assertThat(node.find(ADA).keys()).hasSize(1);
  }

  @Test
  void whoever_declares_an_event_of_the_same_name_elsewhere_changes_no_key() {
    var event =
        new Component(
            ComponentKind.AGGREGATE,
            "Squatter",
            0,
            "mail",
            List.of(),
            List.of(new EventType("Opened", null)),
            List.of(),
            null,
            null);
    StoreNode.await(node.node.catalog.declare("mail", List.of(event), Optional.empty()));
    assertThat(node.make(personal("bank"), "Opened", ADA).keys()).hasSize(1);
    assertThat(node.find(personal("bank"), ADA).keys()).hasSize(1);
  }

  @Test
  void a_key_of_before_there_were_contexts_goes_on_to_serve_them_all() {
    var old = node.make(personal("*"), null, ADA).keys().get(0);
    assertThat(node.make(personal("bank"), "OpenAccount", ADA).keys().get(0).key())
        .isEqualTo(old.key());
    assertThat(node.find(personal("mail"), ADA).keys().get(0).key()).isEqualTo(old.key());
  }

  @Test
  void contexts_that_write_of_a_new_person_at_once_have_a_key_each() throws Exception {
    var given = new ArrayList<CompletableFuture<String>>();
    for (var i = 0; i < 12; i++) {
      var type = i % 2 == 0 ? "OpenAccount" : "SendMail";
      given.add(
          CompletableFuture.supplyAsync(
              () -> {
                var key = node.make(personal("*"), type, ADA).keys().get(0);
                return type + " " + Base64.getEncoder().encodeToString(key.key());
              }));
    }
    var found =
        Set.copyOf(given.stream().map(one -> one.orTimeout(20, TimeUnit.SECONDS).join()).toList());
    assertThat(found).hasSize(2);
  }

  @Test
  void a_credential_makes_so_many_keys_a_minute_and_is_given_those_that_there_are() {
    node.keysMax = 2;
    var bank = personal("bank");
    node.make(bank, "OpenAccount", ADA, BOB);
    isRefused(
        ErrorCode.OVERLOADED,
        "personal.new-keys-per-minute-max",
        () -> node.make(bank, "OpenAccount", CAROL));
    assertThat(node.make(bank, "OpenAccount", ADA).keys()).hasSize(1);
    assertThat(node.make(personal("bank"), "OpenAccount", CAROL).keys()).hasSize(1);
  }

  @Test
  void the_count_begins_anew_after_a_minute() {
    var now = new AtomicLong(7);
    var quota = new KeyQuota(setting -> 10, now::get);
    var bank = personal("bank");
    quota.take(bank, 10);
    now.addAndGet(TimeUnit.SECONDS.toNanos(59));
    isRefused(ErrorCode.OVERLOADED, "may make 10", () -> quota.take(bank, 1));
    now.addAndGet(TimeUnit.SECONDS.toNanos(1));
    quota.take(bank, 10);
  }
}
