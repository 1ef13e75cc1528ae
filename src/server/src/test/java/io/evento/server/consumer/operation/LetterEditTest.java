package io.evento.server.consumer.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.Codec;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.StepMessage.Input;
import io.evento.server.cluster.Node;
import io.evento.server.cluster.NodeState;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.LedgerBundle;
import io.evento.server.consumer.LedgerBundle.Ledger;
import io.evento.server.consumer.NotingSaga;
import io.evento.server.consumer.operation.DeadLetters.Chosen;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A dead letter that is tried with an edited copy of its payload; on real nodes and SDK. */
class LetterEditTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String SCHEMA =
      "{\"type\":\"object\",\"properties\":{\"amount\":{\"type\":\"integer\",\"minimum\":0}},"
          + "\"required\":[\"amount\"]}";

  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private final Ledger ledger = new Ledger();

  @BeforeEach
  void declare() throws SQLException {
    cluster.execute(
        "insert into evento.payload_version (kind, type, version, schema, bundle) values ('event',"
            + " 'MoneyDeposited', 1, '"
            + SCHEMA
            + "', 'bank') on conflict (kind, type, version) do update set schema ="
            + " excluded.schema");
    cluster.execute("delete from evento.payload_version where version > 1");
  }

  private static Operations.Asked asked(@Nullable String reason) {
    return new Operations.Asked("accounts", 1, null, "ada", reason, false);
  }

  private static UUID letter() {
    return UUID.fromString(
        cluster.texts("select id::text from evento.dead_letter order by position").get(0));
  }

  private static List<String> edited() {
    return cluster.texts(
        "select edited || ' ' || edited_by || ' ' || edit_reason from evento.dead_letter where"
            + " edited is not null");
  }

  private static Json amount(long amount) {
    return new Json("{\"amount\":" + amount + "}");
  }

  /**
   * A node with two letters of one account: it cannot take 1, which is what all deposits are of.
   */
  private ConsumerNode failing(boolean ownCheckpoint) throws SQLException {
    var node = cluster.node("a");
    ledger.refused.add(1L);
    cluster.opened(
        LedgerBundle.connect(
            node, ledger, ownCheckpoint ? LedgerBundle.database(cluster.database()) : null, 1));
    cluster.append("a-1", "a-1");
    await().atMost(PATIENCE).until(() -> cluster.letters().size() == 2);
    await().atMost(PATIENCE).until(() -> cluster.checkpoints().equals(List.of(2L)));
    return node;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void the_retry_gets_the_edited_payload_and_everybody_else_the_event_as_it_is(
      boolean ownCheckpoint) throws SQLException {
    var node = failing(ownCheckpoint);

    node.letters.edit(asked("a typing error"), letter(), amount(7));
    assertThat(edited()).containsExactly("{\"amount\":7} ada a typing error");
    assertThat(ledger.amounts).as("nobody asked for a retry").isEmpty();
    node.letters.retry(asked(null), new Chosen(letter(), null), 0);

    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(2L)));
    assertThat(ledger.amounts).containsExactly(7L);
    ledger.refused.clear();
    node.letters.retry(asked(null), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> cluster.letters().isEmpty());
    assertThat(ledger.amounts).containsExactly(7L, 1L);
    assertThat(cluster.texts("select payload from evento.event order by position"))
        .containsExactly("{\"amount\":1}", "{\"amount\":1}");
    assertThat(
            cluster.texts(
                "select done_by || ' ' || action || ' ' || detail || ' ' || reason from"
                    + " evento.consumer_audit where action = 'edit'"))
        .containsExactly(
            "ada edit the dead letter at position 1 is tried with a payload that differs at /amount"
                + " a typing error");
    if (!ownCheckpoint) {
      node.operations.reset(asked(null), 0, false);
      await().atMost(PATIENCE).until(() -> ledger.amounts.size() == 4);
      assertThat(ledger.amounts).containsExactly(7L, 1L, 1L, 1L);
    }
  }

  @Test
  void a_dry_run_looks_at_it_and_stores_nothing() throws SQLException {
    var node = failing(false);
    var would =
        node.letters.edit(
            new Operations.Asked("accounts", 1, null, "ada", "why", true), letter(), amount(7));

    assertThat(would.detail()).endsWith("differs at /amount");
    assertThat(edited()).isEmpty();
    assertThat(cluster.texts("select id from evento.consumer_audit where action = 'edit'"))
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | /payload/amount is required",
        "{\"amount\":-1} | /payload/amount must be at least 0",
        "{\"amount\":\"x\"} | /payload/amount must be integer",
        "{\"amount\":2,\"more\":1} | /payload/more is no property of it",
        "{\"amount\":1} | /payload must differ from the event's own",
        "[1] | /payload must be a JSON object"
      })
  void what_the_type_does_not_declare_is_refused_and_named(String payload, String why)
      throws SQLException {
    var node = failing(false);

    refused(
        ErrorCode.INVALID_REQUEST,
        why,
        () -> node.letters.edit(asked("why"), letter(), new Json(payload)));
    refused(
        ErrorCode.INVALID_REQUEST,
        "/reason is required, with 1 to 500 characters",
        () -> node.letters.edit(asked(" "), letter(), amount(7)));
    refused(
        ErrorCode.NOT_FOUND,
        "there is no such dead letter",
        () -> node.letters.edit(asked("why"), UUID.randomUUID(), amount(7)));
    assertThat(edited()).isEmpty();
  }

  private static final String NAMED =
      """
      {"type":"object","properties":{"amount":{"type":"integer"},
        "name":{"type":"string"},"by":{"type":"object","additionalProperties":{"type":"string"}}}}
      """;

  private static final String NAMED_PERSONAL =
      NAMED.replace("\"name\":{", "\"name\":{\"x-evento-personal\":{\"subject\":\"/amount\"},");

  private static String sealed(String subject, int key) {
    var text = key == 0 ? "" : Base64.getEncoder().encodeToString(new byte[33]);
    return "{\"$p\":1,\"s\":\"" + subject + "\",\"k\":" + key + ",\"v\":\"" + text + "\"}";
  }

  /** A letter of a deposit by somebody whose name is encrypted. */
  private ConsumerNode failingWithName(String ownSchema, String newestSchema) throws SQLException {
    var node = failing(false);
    schema(1, ownSchema);
    schema(2, newestSchema);
    cluster.execute(
        "update evento.event set payload = '"
            + "{\"amount\":1,\"name\":"
            + sealed("ada", 1)
            + "}' where position = 1");
    return node;
  }

  private static void schema(int version, String schema) throws SQLException {
    cluster.execute(
        "insert into evento.payload_version (kind, type, version, schema, bundle) values ('event',"
            + " 'MoneyDeposited', "
            + version
            + ", '"
            + schema
            + "', 'bank') on conflict (kind, type, version) do update set schema ="
            + " excluded.schema");
  }

  @ParameterizedTest
  @CsvSource({"true,false", "false,true", "true,true"})
  void what_any_version_calls_personal_is_never_stored_in_the_clear(boolean byOwn, boolean byNewest)
      throws SQLException {
    var node = failingWithName(byOwn ? NAMED_PERSONAL : NAMED, byNewest ? NAMED_PERSONAL : NAMED);

    refused(
        ErrorCode.INVALID_REQUEST,
        "/payload/name of MoneyDeposited is personal and must be encrypted",
        () ->
            node.letters.edit(asked("why"), letter(), new Json("{\"amount\":2,\"name\":\"Ada\"}")));
    assertThat(edited()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void an_encrypted_value_stays_where_it_is_or_goes(boolean isDeclared) throws SQLException {
    var node =
        failingWithName(isDeclared ? NAMED_PERSONAL : "{}", isDeclared ? NAMED_PERSONAL : "{}");
    for (var other :
        List.of(
            "\"name\":" + sealed("bob", 1),
            "\"name\":" + sealed("ada", 2),
            "\"name\":" + sealed("bob", 0),
            "\"name\":{\"$p\":\"Ada Lovelace\"}")) {
      assertThatThrownBy(
              () ->
                  node.letters.edit(
                      asked("why"), letter(), new Json("{\"amount\":2," + other + "}")))
          .as(other)
          .isInstanceOf(EventoException.class)
          .hasMessageContaining("/payload/name");
    }
    refused(
        ErrorCode.INVALID_REQUEST,
        "/payload/by/x is encrypted and must stay as it is, or be null",
        () ->
            node.letters.edit(
                asked("why"), letter(), new Json("{\"by\":{\"x\":" + sealed("ada", 1) + "}}")));
    refused(
        ErrorCode.INVALID_REQUEST,
        "/payload must be JSON, each name of an object once",
        () ->
            node.letters.edit(
                asked("why"),
                letter(),
                new Json("{\"name\":\"Ada\",\"name\":" + sealed("ada", 1) + "}")));
    assertThat(edited()).isEmpty();

    for (var kept : List.of(sealed("ada", 1), sealed("ada", 0), "null")) {
      node.letters.edit(asked("why"), letter(), new Json("{\"amount\":2,\"name\":" + kept + "}"));
      assertThat(edited()).hasSize(1).first().asString().contains(kept);
    }
    node.letters.edit(asked("why"), letter(), amount(2));
  }

  @Test
  void numbers_are_kept_to_the_last_digit() throws SQLException {
    var node = failing(false);
    cluster.execute(
        "update evento.event set payload = '{\"amount\":9007199254740993}' where position = 1");

    node.letters.edit(asked("why"), letter(), amount(9007199254740992L));

    assertThat(edited()).containsExactly("{\"amount\":9007199254740992} ada why");
    refused(
        ErrorCode.INVALID_REQUEST,
        "/payload must differ from the event's own",
        () -> node.letters.edit(asked("why"), letter(), amount(9007199254740993L)));
  }

  @Test
  void nobody_edits_what_is_to_be_tried() throws SQLException {
    var node = failing(false);
    var letter = letter();
    node.letters.edit(asked("why"), letter, amount(7));
    cluster.execute(
        "update evento.dead_letter set retry_at = clock_timestamp() + interval '1 hour'");

    var why = "the dead letter is to be tried; edit it when it has failed again";
    refused(ErrorCode.CONFLICT, why, () -> node.letters.edit(asked("why"), letter, amount(8)));
    refused(ErrorCode.CONFLICT, why, () -> node.letters.forgetEdit(asked(null), letter));
    assertThat(edited()).containsExactly("{\"amount\":7} ada why");
  }

  @Test
  void a_letter_that_was_edited_since_it_was_begun_stays() throws SQLException {
    var node = failing(false);
    var letter = letter();
    node.letters.edit(asked("why"), letter, amount(7));
    ledger.before =
        at -> {
          try {
            cluster.execute(
                "update evento.dead_letter set edited = '{\"amount\":8}', edited_at ="
                    + " clock_timestamp() where position = 1 and edited = '{\"amount\":7}'");
          } catch (SQLException failure) {
            throw new IllegalStateException(failure);
          }
        };

    node.letters.retry(asked(null), new Chosen(letter, null), 0);

    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(2L)));
    assertThat(ledger.amounts).containsExactly(7L, 8L);
  }

  @Test
  void edited_letters_are_not_tried_while_a_node_of_another_release_is_up() throws SQLException {
    var node = failing(false);
    var letter = letter();
    node.letters.edit(asked("why"), letter, amount(7));
    node.stranger =
        Optional.of(new Node("old", UUID.randomUUID(), "ws://old", "0.1", NodeState.UP, false));

    var why =
        "nodes of another release are up and may not know edited payloads, old is one of them";
    refused(
        ErrorCode.CONFLICT,
        why,
        () -> node.letters.retry(asked(null), new Chosen(letter, null), 0));
    refused(ErrorCode.CONFLICT, why, () -> node.letters.edit(asked("why"), letter, amount(8)));
    assertThat(cluster.texts("select id from evento.dead_letter where retry_at is not null"))
        .isEmpty();

    node.letters.forgetEdit(asked(null), letter);
    node.letters.retry(asked(null), new Chosen(letter, null), 0);
  }

  @Test
  void log_and_audit_name_only_places_that_the_type_declares() throws SQLException {
    var node = failingWithName(NAMED, NAMED);
    var by = new StringBuilder();
    for (var i = 0; i < 30; i++) {
      by.append(i == 0 ? "" : ",").append("\"ada\\n").append(i).append("\":\"x\"");
    }

    var done =
        node.letters.edit(asked("why"), letter(), new Json("{\"amount\":2,\"by\":{" + by + "}}"));

    assertThat(done.detail())
        .isEqualTo(
            "the dead letter at position 1 is tried with a payload that differs at /amount, /name,"
                + " /by");
    node.letters.edit(asked("why"), letter(), new Json("{\"amount\":1,\"by\":{}}"));
  }

  private static void refused(ErrorCode code, String why, Runnable edit) {
    assertThatThrownBy(edit::run)
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(code);
              assertThat(told.detail()).isEqualTo(why);
            });
  }

  @Test
  void an_edit_that_fails_too_stays_until_it_is_taken_back() throws SQLException {
    var node = failing(false);
    ledger.refused.add(8L);
    node.letters.edit(asked("a try"), letter(), amount(8));
    node.letters.retry(asked(null), new Chosen(letter(), null), 0);
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster.texts(
                    "select split_part(cause, E'\\n', 1) from evento.dead_letter"
                        + " where attempts = 6"),
            List.of("java.lang.IllegalStateException: cannot take 8")::equals);
    assertThat(edited()).containsExactly("{\"amount\":8} ada a try");

    node.letters.forgetEdit(asked(null), letter());

    assertThat(edited()).isEmpty();
    refused(
        ErrorCode.NOT_FOUND,
        "there is no such dead letter with an edited payload",
        () -> node.letters.forgetEdit(asked(null), letter()));
    ledger.refused.clear();
    node.letters.retry(asked(null), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> ledger.amounts.equals(List.of(1L, 1L)));
  }

  @Test
  void a_dropped_letter_takes_its_edit_along_and_so_does_another_event_at_its_position()
      throws SQLException {
    var node = failing(false);
    node.letters.edit(asked("why"), letter(), amount(7));
    cluster.execute(
        "update evento.dead_letter set command_id = gen_random_uuid() where position = 1");
    assertThat(edited()).isEmpty();

    cluster.execute(
        "update evento.dead_letter set edited = '{}', edited_by = 'x', edit_reason = 'y'");
    node.letters.drop(asked("of no use"), new Chosen(letter(), null));

    assertThat(cluster.texts("select id from evento.dead_letter where position = 1")).isEmpty();
  }

  @Test
  void a_saga_gets_it_too_and_an_edit_never_leads_to_another_one() throws SQLException {
    var saga = new NotingSaga(cluster);
    var given = new CopyOnWriteArrayList<String>();
    saga.poisoned =
        input -> {
          given.add(payload(input));
          return payload(input).equals("{\"amount\":1}");
        };
    var node = saga.node("a");
    saga.host(node, 1);
    cluster.append("bad");
    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(1L)));
    var asked = new Operations.Asked("greeting", 1, null, "ada", "why", false);
    declareSaga("/amount");
    refused(
        ErrorCode.INVALID_REQUEST,
        "/payload/amount must stay as it is: it says which saga the event belongs to",
        () -> node.letters.edit(asked, letter(), amount(7)));
    declareSaga("");

    node.letters.edit(asked, letter(), amount(7));
    node.letters.retry(asked, new Chosen(null, null), 0);

    await().atMost(PATIENCE).until(() -> cluster.letters().isEmpty());
    assertThat(given.get(given.size() - 1)).isEqualTo("{\"amount\":7}");
    assertThat(saga.states()).isEqualTo(Map.of("bad", "e1"));
  }

  private static String payload(Input input) {
    return Objects.requireNonNull(input.event()).payload().text();
  }

  private static void declareSaga(String association) throws SQLException {
    var declared =
        new Component(
            ComponentKind.SAGA,
            "greeting",
            1,
            "bank",
            List.of(),
            List.of(),
            List.of(),
            new Consumption(
                List.of("bank"),
                List.of("MoneyDeposited"),
                "beginning",
                1,
                Map.of("MoneyDeposited", association)),
            null);
    cluster.execute(
        "insert into evento.component (kind, name, version, context, bundle, definition) values"
            + " ('saga', 'greeting', 1, 'bank', 'bank', '"
            + Codec.text(declared)
            + "') on conflict (kind, name, version) do update set definition = excluded.definition");
  }

  @Test
  void only_the_payload_of_an_event_is_edited() throws SQLException {
    var node = failing(false);
    cluster.execute("update evento.dead_letter set kind = 'outcome' where position = 1");

    refused(
        ErrorCode.CONFLICT,
        "only the payload of an event can be edited, and this is none",
        () -> node.letters.edit(asked("why"), letter(), amount(7)));
  }
}
