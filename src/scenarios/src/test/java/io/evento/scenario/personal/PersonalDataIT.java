package io.evento.scenario.personal;

import static io.evento.bundle.gateway.CommandOptions.options;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.personal.Subjects;
import io.evento.protocol.EventoException;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.workload.People;
import io.evento.scenario.workload.People.Card;
import io.evento.scenario.workload.People.GreetPerson;
import io.evento.scenario.workload.People.Look;
import io.evento.scenario.workload.People.NameOf;
import io.evento.scenario.workload.People.NameView;
import io.evento.scenario.workload.People.Register;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A name that is kept in all the ways there are, its erasure, and what is left of it. */
class PersonalDataIT {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final List<String> COPIES =
      List.of(
          "event",
          "command_result",
          "snapshot",
          "saga_state",
          "consumer_command",
          "scheduled_message");

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private final String run = UUID.randomUUID().toString().substring(0, 8);
  private final String ada = "p-ada-" + run;
  private final String bob = "p-bob-" + run;

  /** Nothing else has it in it: wherever it is found, it was told in the clear. */
  private final String marker = "Marker" + UUID.randomUUID().toString().replace("-", "");

  /** What the bundles log, which run in this process. */
  private final StringBuffer ownLog = new StringBuffer();

  private final Handler recorder =
      new Handler() {
        @Override
        public void publish(LogRecord logged) {
          ownLog.append(logged.getMessage()).append('\n');
          if (logged.getThrown() != null) {
            var trace = new StringWriter();
            logged.getThrown().printStackTrace(new PrintWriter(trace));
            ownLog.append(trace);
          }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  @BeforeEach
  void record() {
    Logger.getLogger("").addHandler(recorder);
  }

  @AfterEach
  void stopRecording() {
    Logger.getLogger("").removeHandler(recorder);
  }

  @Test
  void once_a_person_is_erased_no_copy_of_her_name_can_be_read() throws Exception {
    var names = People.noNames();
    try (var people = People.start(cluster, names)) {
      var scheduled = keepTheName(people, ada, marker);
      keepTheName(people, bob, "Bob");
      await("all copies are there")
          .atMost(LIMIT)
          .untilAsserted(() -> assertThat(tablesWith(Subjects.hash(ada))).containsAll(COPIES));
      await("a letter of what failed on it")
          .atMost(LIMIT)
          .untilAsserted(
              () ->
                  assertThat(texts("select cause from evento.dead_letter where name = 'strict'"))
                      .isNotEmpty());
      await("the read model has it in the clear")
          .atMost(LIMIT)
          .untilAsserted(() -> assertThat(names).containsEntry(ada, marker).containsKey(bob));
      assertThat(tablesWith(marker)).as("tables that have the name in the clear").isEmpty();
      assertThat(cluster.doors().get(1).get("streams/Person/" + ada).body().toString())
          .contains("$p")
          .doesNotContain(marker);

      refuseOverHttp();
      var keys = texts(keysOf(ada));
      var erased = erase(ada);
      assertThat(erased.path("dropped").path("keys").asInt()).isEqualTo(keys.size()).isPositive();
      assertThat(erased.path("dropped").path("snapshots").asInt()).isPositive();

      await("the read model drops her rows")
          .atMost(LIMIT)
          .untilAsserted(() -> assertThat(names).doesNotContainKey(ada).containsKey(bob));
      await("the certificate says so")
          .atMost(LIMIT)
          .untilAsserted(
              () ->
                  assertThat(consumer("names").path("isPast").asBoolean())
                      .as("names is past the event")
                      .isTrue());
      assertThat(texts("select subject from evento.subject_key"))
          .doesNotContain(Subjects.hash(ada))
          .contains(Subjects.hash(bob));
      assertErased(people, scheduled);
      assertThat(tablesWith(marker)).as("tables that have the name in the clear").isEmpty();
    }
    assertThatWhoeverComesLaterReadsPlaceholders();
    assertThat(ownLog.toString())
        .as("what the bundles logged")
        .contains("event failed", "its text is withheld")
        .doesNotContain(marker);
    assertThat(logsWith(marker)).as("logs with the name in the clear").isEmpty();
    assertThat(logsWith("subject erased subject=" + Subjects.hash(ada)))
        .as("logs are looked at")
        .hasSize(1);
  }

  private static String keysOf(String person) {
    return "select subject from evento.subject_key where subject = '%s'"
        .formatted(Subjects.hash(person));
  }

  private UUID keepTheName(EventoBundle people, String person, String name) throws Exception {
    var commands = people.commands();
    var command = UUID.randomUUID();
    var receipt = commands.send(new Register(person, name), options().withId(command));
    assertThat(commands.value(receipt, Card.class)).isEqualTo(new Card(person, name));
    assertThat(commands.send(new Register(person, name), options().withId(command)).repeated())
        .as("the same command again is its repeat")
        .isTrue();
    commands.send(new GreetPerson(person));
    commands.send(new GreetPerson(person));
    assertThat(commands.value(commands.send(new Look(person, name)), Card.class))
        .isEqualTo(new Card(person, name));
    var scheduled = UUID.randomUUID();
    var unused =
        commands.schedule(new Look(person, name), Duration.ofDays(1), options().withId(scheduled));
    return scheduled;
  }

  private void refuseOverHttp() throws InterruptedException {
    var door = cluster.doors().get(2);
    var id = UUID.randomUUID().toString();
    for (var answer :
        List.of(
            door.post(
                "commands/Register",
                "{\"person\":\"x\",\"name\":\"" + marker + "\"}",
                LIMIT,
                "Idempotency-Key",
                id),
            door.post(
                "schedules/Register?after=PT1H",
                "{\"person\":\"x\",\"name\":\"" + marker + "\"}",
                LIMIT,
                "Idempotency-Key",
                id),
            door.post(
                "events",
                "{\"events\":[{\"type\":\"Registered\",\"payload\":{\"name\":\""
                    + marker
                    + "\"}}]}",
                LIMIT,
                "Idempotency-Key",
                id))) {
      assertThat(answer.status()).as("%s", answer.body()).isEqualTo(400);
      assertThat(answer.body().toString())
          .contains("has personal components")
          .doesNotContain(marker);
    }
    var forged =
        door.post(
            "events",
            "{\"context\":\"evento.personal\",\"events\":[{\"type\":\"SubjectErased\",\"payload\":{\"subject\":\""
                + bob
                + "\"}}]}",
            LIMIT,
            "Idempotency-Key",
            UUID.randomUUID().toString());
    assertThat(forged.status()).as("%s", forged.body()).isEqualTo(400);
    assertThat(door.post("commands/GreetPerson", "{\"person\":\"" + bob + "\"}", LIMIT).status())
        .as("a command without anything personal")
        .isEqualTo(200);
  }

  private com.fasterxml.jackson.databind.JsonNode erase(String person) throws InterruptedException {
    var door = cluster.doors().get(1);
    assertThat(door.post("subjects/" + person + "/erase", "{}", LIMIT).status()).isEqualTo(400);
    assertThat(door.get("subjects/" + person).status()).isEqualTo(404);
    var answer =
        door.post("subjects/" + person + "/erase", "{\"reason\":\"asked by mail\"}", LIMIT);
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  private com.fasterxml.jackson.databind.JsonNode consumer(String name)
      throws InterruptedException {
    var certificate = cluster.doors().get(2).get("subjects/" + ada).body();
    for (var consumer : certificate.path("consumers")) {
      if (consumer.path("name").asText().equals(name)) {
        return consumer;
      }
    }
    throw new AssertionError(name + " is not in " + certificate);
  }

  private void assertErased(EventoBundle people, UUID scheduled) throws Exception {
    var commands = people.commands();
    await("every bundle has dropped what it held")
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(
            () -> {
              commands.send(new GreetPerson(ada));
              assertThat(lastWordsOf(ada)).contains("\"k\":0");
            });
    assertThatThrownBy(() -> commands.send(new Register(ada, marker)))
        .isInstanceOf(EventoException.class)
        .hasMessageContaining("/name is of a subject that was erased")
        .hasMessageNotContaining(marker);
    assertThat(people.queries().ask(new NameOf(bob), NameView.class))
        .isEqualTo(new NameView("Bob"));
    assertThat(texts("select payload from evento.scheduled_message where id = '" + scheduled + "'"))
        .allSatisfy(payload -> assertThat(payload).contains("\"$p\"").doesNotContain(marker));
  }

  private String lastWordsOf(String person) throws SQLException {
    return texts(
            "select payload from evento.event where stream_id = 'Person:"
                + person
                + "' order by version desc limit 1")
        .get(0);
  }

  /** Bob's key is lost as well, but nobody erased him: what is read of him must fail. */
  private void assertThatWhoeverComesLaterReadsPlaceholders() throws Exception {
    try (var admin = cluster.administrator();
        var statement = admin.createStatement()) {
      statement.execute(
          "delete from evento.subject_key where subject = '" + Subjects.hash(bob) + "'");
    }
    var names = People.noNames();
    try (var late = People.startLate(cluster, names)) {
      assertThat(late.isConnected()).isTrue();
      await("placeholders of who was erased")
          .atMost(LIMIT)
          .untilAsserted(() -> assertThat(names).containsEntry(ada, "[erased]"));
      await("a dead letter of whose key is missing")
          .atMost(Duration.ofSeconds(90))
          .untilAsserted(
              () ->
                  assertThat(
                          texts("select cause from evento.dead_letter where name = 'late-names'"))
                      .singleElement()
                      .asString()
                      .contains("is missing, though the subject was not erased"));
      assertThat(names).doesNotContainKey(bob);
    }
  }

  /** Tables of the cluster that have a text anywhere in a row. */
  private static List<String> tablesWith(String text) throws SQLException {
    var found = new ArrayList<String>();
    for (var table :
        texts(
            "select table_name from information_schema.tables where table_schema = 'evento' and"
                + " table_type = 'BASE TABLE' order by 1")) {
      var rows =
          texts(
              "select 'x' from (select t::text as row from evento."
                  + table
                  + " t) r where position('"
                  + text
                  + "' in r.row) > 0 limit 1");
      if (!rows.isEmpty()) {
        found.add(table);
      }
    }
    return found;
  }

  private static List<String> texts(String query) throws SQLException {
    try (var admin = cluster.administrator();
        var statement = admin.createStatement();
        var rows = statement.executeQuery(query)) {
      var found = new ArrayList<String>();
      while (rows.next()) {
        found.add(String.valueOf(rows.getString(1)));
      }
      return found;
    }
  }

  /** Logs of nodes, balancer and PostgreSQL that have a text in them. */
  private static List<Path> logsWith(String text) throws Exception {
    var found = new ArrayList<Path>();
    try (var files = Files.list(cluster.node(1).log().getParent())) {
      for (var file : files.filter(one -> one.toString().endsWith(".log")).toList()) {
        if (new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(text)) {
          found.add(file);
        }
      }
    }
    return found;
  }
}
