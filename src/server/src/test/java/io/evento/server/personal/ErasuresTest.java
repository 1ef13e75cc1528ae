package io.evento.server.personal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.PersonalMessage;
import io.evento.server.config.PersonalConfig;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keys of subjects, and that whoever is erased stays so. */
class ErasuresTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final String ADA = PersonalMessage.hash("ada");
  private static final String BOB = PersonalMessage.hash("bob");

  @TempDir Path files;
  private final List<PersonalNode> nodes = new ArrayList<>();
  private TestDatabase database;
  private Path masterKeys;

  @BeforeEach
  void open() throws IOException {
    database = PostgresFixture.shared().migrated();
    masterKeys = files.resolve("master");
    Files.writeString(masterKeys, "# first\n" + newKey() + "\n");
  }

  @AfterEach
  void close() {
    nodes.forEach(PersonalNode::close);
    database.close();
  }

  private static String newKey() {
    var key = new byte[32];
    new SecureRandom().nextBytes(key);
    return Base64.getEncoder().encodeToString(key);
  }

  private PersonalNode up(String name) throws IOException {
    return up(name, PersonalNode.config(masterKeys, files.resolve(name + ".erasures")));
  }

  private PersonalNode up(String name, PersonalConfig config) throws IOException {
    var started = new PersonalNode(database, name, config);
    nodes.add(started);
    await()
        .atMost(LIMIT)
        .until(() -> started.node.store.appender.isReady() && started.node.membership.isBeating());
    return started.start();
  }

  private List<String> texts(String query) throws SQLException {
    try (var admin = database.asAdmin();
        var statement = admin.createStatement();
        var rows = statement.executeQuery(query)) {
      var found = new ArrayList<String>();
      while (rows.next()) {
        found.add(rows.getString(1));
      }
      return found;
    }
  }

  private void asAdmin(String... statements) throws SQLException {
    try (var admin = database.asAdmin();
        var statement = admin.createStatement()) {
      for (var text : statements) {
        statement.execute(text);
      }
    }
  }

  private List<String> events() throws SQLException {
    return texts(
        "select context || ' ' || type || ' ' || payload from evento.event order by position");
  }

  @Test
  void a_key_is_made_once_and_every_node_gives_it() throws Exception {
    var one = up("a");
    var other = up("b");
    assertThat(one.find(ADA).keys()).isEmpty();
    var made = one.make(ADA, BOB).keys();
    assertThat(made).hasSize(2).allSatisfy(key -> assertThat(key.key()).hasSize(32));
    assertThat(made.get(0).key()).isNotEqualTo(made.get(1).key());
    assertThat(other.make(ADA).keys().get(0).key()).isEqualTo(one.find(ADA).keys().get(0).key());
    assertThat(made.get(0).toString()).doesNotContain("key=");
  }

  @Test
  void bundles_that_make_a_key_at_once_are_given_the_same() throws Exception {
    var one = up("a");
    var other = up("b");
    var given = new ArrayList<CompletableFuture<byte[]>>();
    for (var i = 0; i < 16; i++) {
      var node = i % 2 == 0 ? one : other;
      given.add(CompletableFuture.supplyAsync(() -> node.make(ADA).keys().get(0).key()));
    }
    assertThat(given)
        .extracting(key -> key.get(20, TimeUnit.SECONDS))
        .allSatisfy(key -> assertThat(key).isEqualTo(given.get(0).join()));
  }

  @Test
  void the_database_alone_gives_no_key() throws Exception {
    var node = up("a");
    var key = node.make(ADA).keys().get(0).key();
    assertThat(texts("select encode(wrapped, 'hex') from evento.subject_key").get(0))
        .doesNotContain(java.util.HexFormat.of().formatHex(key));
    var elsewhere = files.resolve("elsewhere");
    Files.writeString(elsewhere, newKey());
    var stranger = up("b", PersonalNode.config(elsewhere, files.resolve("b")));
    assertThatThrownBy(() -> stranger.find(ADA))
        .hasRootCauseInstanceOf(EventoException.class)
        .hasMessageContaining("which this node does not have");
    // A row that was moved to another subject is not that one's key.
    asAdmin(
        "insert into evento.subject_key(subject, version, master, wrapped)"
            + " select '"
            + BOB
            + "', version, master, wrapped from evento.subject_key");
    assertThatThrownBy(() -> node.find(BOB)).hasMessageContaining("was changed");
  }

  @Test
  void a_new_master_key_wraps_what_is_new_and_the_old_one_unwraps_the_rest() throws Exception {
    var key = up("a").make(ADA).keys().get(0).key();
    Files.writeString(masterKeys, newKey() + "\n" + Files.readString(masterKeys));
    var renewed = up("b");
    assertThat(renewed.find(ADA).keys().get(0).key()).isEqualTo(key);
    renewed.make(BOB);
    assertThat(texts("select distinct master from evento.subject_key")).hasSize(2);
  }

  @Test
  void without_a_master_key_no_key_is_given_and_nobody_erased() throws Exception {
    var node = up("a", new PersonalConfig(Optional.empty(), Optional.empty()));
    assertThatThrownBy(() -> node.make(ADA))
        .isInstanceOf(CompletionException.class)
        .hasMessageContaining("set evento.personal.master-key-file");
    assertThatThrownBy(() -> node.erasures.erase("ada", "me", "192.0.2.1", "asked"))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> assertThat(told.code()).isEqualTo(ErrorCode.UNAVAILABLE));
  }

  @Test
  void a_file_that_holds_no_key_keeps_the_node_from_starting() throws IOException {
    Files.writeString(masterKeys, "short\n");
    assertThatThrownBy(() -> MasterKeyFile.read(masterKeys))
        .hasMessage(
            "line 1 of the file evento.personal.master-key-file must be 32 random bytes in base64");
    Files.writeString(masterKeys, "# nothing\n");
    assertThatThrownBy(() -> MasterKeyFile.read(masterKeys))
        .hasMessageContaining("must have a key");
  }

  @Test
  void an_erased_subject_has_no_key_on_any_node_and_is_told_once() throws Exception {
    var one = up("a");
    var other = up("b");
    one.make(ADA, BOB);
    other.find(ADA);
    one.node.links.start();
    other.node.links.start();
    await("each hears the other")
        .atMost(LIMIT)
        .ignoreExceptions()
        .until(
            () -> {
              one.node.availability.check();
              other.node.availability.check();
              return true;
            });
    var done = one.erasures.erase("ada", "root", "192.0.2.1", "asked by mail");
    assertThat(done.keys()).isEqualTo(1);
    assertThat(done.position()).isPositive();
    assertThat(one.told).containsExactly(ADA);
    for (var node : nodes) {
      assertThat(node.make(ADA)).satisfies(given -> assertThat(given.keys()).isEmpty());
      assertThat(node.find(ADA).erased()).containsExactly(ADA);
      assertThat(node.find(BOB).keys()).hasSize(1);
    }
    assertThat(texts("select subject from evento.subject_key")).containsExactly(BOB);
    await("the other node's bundles hear of it")
        .atMost(LIMIT)
        .untilAsserted(() -> assertThat(other.told).containsExactly(ADA));
    var repeated = other.erasures.erase("ada", "somebody", "192.0.2.1", "again");
    assertThat(repeated.position()).isEqualTo(done.position());
    assertThat(repeated.by()).isEqualTo("root");
    assertThat(events()).containsExactly("evento.personal SubjectErased {\"subject\":\"ada\"}");
  }

  @Test
  void a_key_that_is_being_made_is_dropped_by_an_erasure_that_comes_meanwhile() throws Exception {
    var node = up("a");
    node.make(ADA);
    CompletableFuture<Erasures.Done> erasing;
    try (var making = database.asServer()) {
      making.setAutoCommit(false);
      ErasureTable.lockForKeys(making);
      SubjectKeyTable.add(
          making,
          new SubjectKeyTable.Row(ADA, 2, new MasterKey.Wrapped("m", new byte[] {1, 2, 3}), null));
      erasing =
          CompletableFuture.supplyAsync(
              () -> node.erasures.erase("ada", "me", "192.0.2.1", "asked"));
      await("it waits for whoever makes a key")
          .atMost(LIMIT)
          .until(
              () ->
                  !texts("select 'x' from pg_locks where locktype = 'advisory' and not granted")
                      .isEmpty());
      making.commit();
    }
    assertThat(erasing.get(20, TimeUnit.SECONDS).keys()).isEqualTo(2);
    assertThat(texts("select subject from evento.subject_key")).isEmpty();
  }

  @Test
  void an_id_that_has_no_key_is_not_certified_to_be_erased() throws Exception {
    var node = up("a");
    node.make(ADA);
    assertThatThrownBy(() -> node.erasures.erase("adah", "me", "192.0.2.1", "asked"))
        .isInstanceOfSatisfying(
            EventoException.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.NOT_FOUND));
    assertThat(texts("select id from evento.erasure")).isEmpty();
    assertThat(Files.exists(files.resolve("a.erasures"))).isFalse();
  }

  @Test
  void a_snapshot_that_holds_the_subject_is_dropped() throws Exception {
    var node = up("a");
    asAdmin(
        "insert into evento.snapshot(stream_id, version, decision, schema, state) values"
            + " ('A:1', 1, 1, 's', '{\"name\":{\"$p\":1,\"s\":\""
            + ADA
            + "\"}}'), ('A:2', 1, 1, 's', '{\"name\":{\"$p\":1,\"s\":\""
            + BOB
            + "\"}}')");
    node.make(ADA);
    assertThat(node.erasures.erase("ada", "me", "192.0.2.1", "asked").snapshots()).isEqualTo(1);
    assertThat(texts("select stream_id from evento.snapshot")).containsExactly("A:2");
  }

  /** The rows as a backup of before would bring them back. */
  private void restore() throws SQLException {
    asAdmin(
        "delete from evento.erasure",
        "delete from evento.subject_key",
        "insert into evento.subject_key select * from kept");
  }

  @Test
  void a_restore_brings_no_key_back_where_one_node_knows_of_the_erasure() throws Exception {
    var one = up("a");
    one.make(ADA, BOB);
    asAdmin("create table kept as select * from evento.subject_key");
    one.erasures.erase("ada", "me", "192.0.2.1", "asked");
    restore();
    assertThat(one.find(ADA).keys()).as("at once").isEmpty();
    assertThat(one.find(ADA).erased()).containsExactly(ADA);
    await("it is replayed")
        .atMost(LIMIT)
        .untilAsserted(
            () -> assertThat(texts("select subject from evento.subject_key")).containsExactly(BOB));
    await("it is told, by an event that is there already or anew")
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(
                        texts("select id || ' ' || reason from evento.erasure where position > 0"))
                    .containsExactly("ada asked"));
  }

  @Test
  void a_node_that_starts_on_a_restored_database_replays_its_list_before_it_gives_a_key()
      throws Exception {
    var one = up("a");
    one.make(ADA, BOB);
    asAdmin("create table kept as select * from evento.subject_key");
    one.erasures.erase("ada", "me", "192.0.2.1", "asked");
    one.close();
    nodes.remove(one);
    restore();
    // As a crash in the middle of a line would leave the file.
    Files.writeString(
        files.resolve("a.erasures"),
        "{\"subject\":\"" + BOB + "\",\"id",
        StandardCharsets.UTF_8,
        StandardOpenOption.APPEND);
    var again = up("a");
    assertThat(texts("select who || ' ' || action || ' ' || object from evento.audit order by id"))
        .containsExactly("me erase subject ada", "node a replay erasure ada");
    assertThat(texts("select subject from evento.subject_key")).containsExactly(BOB);
    assertThat(again.find(ADA).erased()).containsExactly(ADA);
    again.erasures.erase("bob", "me", "192.0.2.1", "asked");
    assertThat(new ErasureFile(files.resolve("a.erasures")).read())
        .extracting(Erasure::id)
        .containsExactly("ada", "bob");
  }

  @Test
  void an_erasure_that_the_database_did_not_take_is_replayed_by_the_node_that_began_it()
      throws Exception {
    var node = up("a");
    node.make(ADA);
    asAdmin("revoke execute on function evento.erase_1 from " + PostgresFixture.SERVER);
    assertThatThrownBy(() -> node.erasures.erase("ada", "me", "192.0.2.1", "asked"))
        .hasMessageContaining("erase subjects");
    assertThat(node.find(ADA).keys()).as("the node knows it already").isEmpty();
    asAdmin("grant execute on function evento.erase_1 to " + PostgresFixture.SERVER);
    await("its keys are dropped, and it is told")
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(texts("select id from evento.erasure where position > 0"))
                    .containsExactly("ada"));
    assertThat(texts("select subject from evento.subject_key")).isEmpty();
  }

  @Test
  void an_erasure_that_breaks_off_before_the_database_heard_of_it_is_replayed() throws Exception {
    var node = up("a");
    node.make(ADA);
    var isBroken = new AtomicBoolean(true);
    node.erasures.onErased(
        subjects -> {
          if (isBroken.getAndSet(false)) {
            throw new AssertionError("a bundle's link is broken");
          }
        });
    assertThatThrownBy(() -> node.erasures.erase("ada", "me", "192.0.2.1", "asked"))
        .hasMessage("a bundle's link is broken");
    assertThat(node.find(ADA).keys()).as("the node knows it already").isEmpty();
    await("its keys are dropped, and it is told")
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(texts("select id from evento.erasure where position > 0"))
                    .containsExactly("ada"));
    assertThat(texts("select subject from evento.subject_key")).isEmpty();
  }

  @Test
  void a_comparison_that_breaks_off_is_made_again() throws Exception {
    var node = up("a");
    node.make(ADA, BOB);
    asAdmin("create table kept as select * from evento.subject_key");
    node.erasures.erase("ada", "me", "192.0.2.1", "asked");
    var breaks = new AtomicInteger();
    node.erasures.onErased(
        subjects -> {
          if (breaks.getAndIncrement() == 0) {
            throw new AssertionError("a bundle's link is broken");
          }
        });
    // The comparison finds one that it did not know, tells it, and breaks off before the replay.
    asAdmin(
        "begin; delete from evento.erasure; delete from evento.subject_key;"
            + " insert into evento.subject_key select * from kept;"
            + " insert into evento.erasure(subject, id, erased_at, erased_by, reason)"
            + " values ('"
            + BOB
            + "', 'bob', now(), 'me', 'asked');"
            + " update evento.erasure set ordinal = 0; commit");
    await("both are erased")
        .dontCatchUncaughtExceptions() // the error ends the thread that compares
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(texts("select id from evento.erasure order by id"))
                    .containsExactly("ada", "bob"));
    assertThat(breaks).hasValue(1);
  }

  @Test
  void an_erasure_has_the_next_number_however_those_before_it_came() throws Exception {
    var node = up("a");
    node.make(ADA);
    // As logical replication brings rows, without what counts them.
    asAdmin(
        "set session_replication_role = replica",
        "insert into evento.erasure(subject, id, erased_at, erased_by, reason, position, ordinal)"
            + " overriding system value"
            + " select lpad(i::text, 22, '0'), i, now(), 'me', 'asked', i, i"
            + " from generate_series(1, 7) i",
        "reset session_replication_role");
    assertThat(node.erasures.erase("ada", "me", "192.0.2.1", "asked").keys()).isEqualTo(1);
    // As a node of an earlier release does it.
    asAdmin(
        "set role " + PostgresFixture.SERVER,
        "insert into evento.erasure(subject, id, erased_at, erased_by, reason)"
            + " values ('"
            + BOB
            + "', 'bob', now(), 'me', 'asked')",
        "reset role");
    assertThat(texts("select id || ' ' || ordinal from evento.erasure order by ordinal offset 7"))
        .containsExactly("ada 8", "bob 9");
  }

  @Test
  void an_erasure_with_a_number_that_is_taken_fails_and_drops_no_key() throws Exception {
    var node = up("a");
    node.make(ADA, BOB);
    node.erasures.erase("bob", "me", "192.0.2.1", "asked");
    asAdmin(
        "create function evento.wrong() returns trigger language plpgsql as"
            + " $$ begin new.ordinal := 1; return new; end $$",
        "create trigger zz_wrong before insert on evento.erasure for each row"
            + " execute function evento.wrong()");
    assertThatThrownBy(() -> node.erasures.erase("ada", "me", "192.0.2.1", "asked"))
        .hasMessageContaining("erase subjects");
    assertThat(texts("select subject from evento.subject_key")).containsExactly(ADA);
    asAdmin("drop trigger zz_wrong on evento.erasure");
    await("it is repeated")
        .atMost(LIMIT)
        .untilAsserted(() -> assertThat(texts("select subject from evento.subject_key")).isEmpty());
  }

  @Test
  void looking_for_new_erasures_costs_the_same_however_many_there_are() throws Exception {
    asAdmin(
        "insert into evento.erasure(subject, id, erased_at, erased_by, reason, position)"
            + " select lpad(i::text, 22, '0'), i, now(), 'me', 'asked', i"
            + " from generate_series(1, 20000) i",
        "analyze evento.erasure");
    try (var server = database.asServer();
        var statement = server.createStatement()) {
      for (var text : List.of(ErasureTable.LOOK, ErasureTable.UNTOLD)) {
        var plan = new StringBuilder();
        try (var rows = statement.executeQuery("explain " + text)) {
          while (rows.next()) {
            plan.append(rows.getString(1)).append('\n');
          }
        }
        assertThat(plan.toString()).contains("erasure_untold").doesNotContain("Seq Scan");
      }
      assertThat(ErasureTable.look(server)).isEqualTo(new ErasureTable.Look(20_000, false));
    }
  }

  @Test
  void a_node_that_was_away_hears_of_it_when_it_starts() throws Exception {
    var node = up("a");
    node.make(ADA);
    node.erasures.erase("ada", "me", "192.0.2.1", "asked");
    var late = up("b");
    assertThat(late.erasures.isErased(ADA)).isTrue();
    var list = files.resolve("b.erasures");
    assertThat(new ErasureFile(list).read()).hasSize(1);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(list)))
        .isEqualTo("rw-------");
  }
}
