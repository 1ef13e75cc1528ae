package io.evento.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.server.persistence.MigrationJob;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Spliterators;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What can be said of the Compose files without a Docker engine: that they fit each other. */
class ComposeTest {

  /** A Compose file and the services that hold its database. */
  private enum Setup {
    ONE_POSTGRES("docker/compose.yaml", "postgres"),
    PATRONI("docker/patroni/compose.yaml", "pg-1", "pg-2", "pg-3");

    private final Path file;
    private final List<String> databases;
    private final JsonNode services;

    Setup(String file, String... databases) {
      this.file = Path.of(file);
      this.databases = List.of(databases);
      this.services = MonitoringFiles.yaml(this.file).path("services");
    }

    Stream<String> names() {
      return StreamSupport.stream(
          Spliterators.spliteratorUnknownSize(services.fieldNames(), 0), false);
    }

    /** What runs to its end before others start. */
    List<String> jobs() {
      return this == ONE_POSTGRES ? List.of("certificate", "migration") : List.of("migration");
    }

    JsonNode environment(String service) {
      return services.path(service).path("environment");
    }
  }

  private static final Path FOLDER = Path.of("docker");
  private static final Path PATRONI = Path.of("docker/patroni/patroni.yml");
  private static final List<String> NODES = List.of("node-1", "node-2", "node-3");
  private static final List<String> ETCD = List.of("etcd-1", "etcd-2", "etcd-3");

  @ParameterizedTest
  @EnumSource
  void all_that_a_cluster_needs_is_there_and_says_whether_it_is_healthy(Setup setup) {
    var expected = new ArrayList<>(List.of("balancer", "bank", "bank-token"));
    expected.addAll(NODES);
    expected.addAll(setup.databases);
    expected.addAll(setup == Setup.PATRONI ? ETCD : List.of());
    expected.addAll(setup.jobs());

    assertThat(setup.services.fieldNames())
        .toIterable()
        .containsExactlyInAnyOrderElementsOf(expected);
    assertThat(setup.names().filter(name -> !setup.jobs().contains(name)))
        .allMatch(name -> setup.services.path(name).path("healthcheck").has("test"));
  }

  @ParameterizedTest
  @EnumSource
  void each_node_has_a_name_an_address_and_a_port_of_its_own(Setup setup) {
    for (var name : NODES) {
      var environment = setup.environment(name);
      assertThat(environment.path("EVENTO_NODE_NAME").asText()).isEqualTo(name);
      assertThat(environment.path("EVENTO_NODE_BIND").asText()).isEqualTo(name);
      assertThat(environment.path("EVENTO_NODE_URL").asText())
          .isEqualTo("ws://" + name + ":8080/evento");
      assertThat(environment.path("EVENTO_DB_USER").asText()).isEqualTo("evento_server");
    }
  }

  @ParameterizedTest
  @EnumSource
  void no_node_has_the_owners_credentials_and_each_waits_for_the_migration(Setup setup) {
    for (var name : NODES) {
      var node = setup.services.path(name);
      assertThat(node.path("environment").fieldNames())
          .toIterable()
          .noneMatch(key -> key.startsWith("EVENTO_DB_OWNER"));
      assertThat(elements(node.path("secrets")).map(JsonNode::asText))
          .containsExactly("server", "admin-password");
      assertThat(node.path("depends_on").path("migration").path("condition").asText())
          .isEqualTo("service_completed_successfully");
    }
    assertThat(setup.services.path("migration").path("entrypoint").toString())
        .contains(MigrationJob.class.getName());
  }

  @ParameterizedTest
  @EnumSource
  void every_password_comes_from_a_file_that_the_script_makes(Setup setup) throws Exception {
    var text = Files.readString(setup.file);
    assertThat(text).doesNotContain("PASSWORD:-");
    assertThat(text.lines().filter(line -> line.contains("PASSWORD") && !line.contains("#")))
        .isNotEmpty()
        .allMatch(line -> line.matches(".*PASSWORD_FILE: /run/secrets/[a-z-]+"));
    var made = Files.readString(FOLDER.resolve("secrets.sh"));
    var wanted = MonitoringFiles.yaml(setup.file).path("secrets");
    assertThat(wanted.fieldNames())
        .toIterable()
        .isNotEmpty()
        .allMatch(name -> made.matches("(?s).*for name in [a-z -]*\\b" + name + "\\b.*"));
  }

  @ParameterizedTest
  @EnumSource
  void no_container_has_capabilities_or_writes_beside_what_is_listed(Setup setup) {
    for (var name : setup.names().toList()) {
      var service = setup.services.path(name);
      assertThat(service.path("read_only").asBoolean()).as(name).isTrue();
      assertThat(service.path("cap_drop").toString()).as(name).isEqualTo("[\"ALL\"]");
      assertThat(service.path("security_opt").toString()).as(name).contains("no-new-privileges");
      assertThat(service.has("cap_add")).as(name).isEqualTo(name.equals("certificate"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void each_container_has_a_limit_of_memory_and_of_its_log_and_comes_back_by_itself(Setup setup) {
    for (var name : setup.names().toList()) {
      var service = setup.services.path(name);
      assertThat(service.path("mem_limit").asText()).as(name).matches("\\d+[mg]");
      assertThat(service.at("/logging/options/max-size").asText()).as(name).isNotEmpty();
      var runsOnce = setup.jobs().contains(name) || name.equals("bank-token");
      assertThat(service.path("restart").asText())
          .as(name)
          .isEqualTo(runsOnce ? "no" : "unless-stopped");
    }
  }

  @ParameterizedTest
  @EnumSource
  void the_balancer_asks_for_health_where_nodes_answer_from_a_thread_of_its_own(Setup setup) {
    var asked = setup.environment("balancer").path("HEALTH_PORT").asText();
    assertThat(NODES)
        .allMatch(
            name -> setup.environment(name).path("EVENTO_HEALTH_PORT").asText().equals(asked));
  }

  @Test
  void images_are_named_by_their_exact_version() throws Exception {
    var images = new ArrayList<String>();
    for (var setup : Setup.values()) {
      elements(setup.services)
          .filter(service -> !service.has("build"))
          .forEach(service -> images.add(service.path("image").asText()));
    }
    for (var file : List.of("Dockerfile.node", "Dockerfile.bank", "patroni/Dockerfile")) {
      Files.readAllLines(FOLDER.resolve(file)).stream()
          .filter(line -> line.startsWith("FROM "))
          .forEach(line -> images.add(line.split(" ")[1]));
    }
    assertThat(images)
        .hasSizeGreaterThan(8)
        .allMatch(image -> image.matches(".*(:v?\\d+\\.\\d+\\S*|@sha256:[0-9a-f]{64})"));
  }

  @Test
  void the_database_is_reached_by_tls_and_by_its_name() {
    for (var service : List.of("node-1", "node-2", "node-3", "migration", "bank")) {
      var environment = Setup.ONE_POSTGRES.environment(service);
      var url =
          environment.path(service.equals("bank") ? "BANK_JDBC_URL" : "EVENTO_DB_URL").asText();
      assertThat(url).contains("sslmode=verify-full", "channelBinding=require", "sslrootcert=");
    }
    var command = Setup.ONE_POSTGRES.services.path("postgres").path("command").toString();
    assertThat(command).contains("ssl=on", "scram-sha-256", "hba_file=");
  }

  @ParameterizedTest
  @EnumSource
  void every_port_is_published_once_and_on_loopback(Setup setup) {
    var published =
        elements(setup.services)
            .flatMap(service -> elements(service.path("ports")))
            .map(JsonNode::asText);
    var hosts = published.map(port -> port.substring(0, port.lastIndexOf(':'))).toList();

    assertThat(hosts)
        .isNotEmpty()
        .doesNotHaveDuplicates()
        .allMatch(at -> at.startsWith("127.0.0.1:"));
  }

  @ParameterizedTest
  @EnumSource
  void the_first_administrator_has_a_password_of_this_place_and_the_bank_a_token(Setup setup) {
    for (var name : NODES) {
      assertThat(setup.environment(name).path("EVENTO_ADMIN_PASSWORD_FILE").asText())
          .isEqualTo("/run/secrets/admin-password");
      assertThat(setup.environment(name).has("EVENTO_SECURITY")).isFalse();
    }
    assertThat(setup.environment("bank").path("EVENTO_TOKEN_FILE").asText())
        .isEqualTo("/tokens/bank");
    // Or the bank would not start: it keeps its token from a network in the clear.
    assertThat(setup.environment("bank").path("EVENTO_SERVERS").asText()).contains("ws://");
    assertThat(setup.environment("bank").path("EVENTO_TLS").asText()).isEqualTo("elsewhere");
  }

  @ParameterizedTest
  @EnumSource
  void bundles_dial_every_node(Setup setup) {
    var servers = setup.environment("bank").path("EVENTO_SERVERS").asText();

    assertThat(servers.split(","))
        .containsExactlyElementsOf(
            NODES.stream().map(name -> "ws://" + name + ":8080/evento").toList());
  }

  @ParameterizedTest
  @EnumSource
  void nodes_and_bundles_know_every_database_and_take_the_one_that_leads(Setup setup) {
    var urls =
        Stream.concat(
                NODES.stream().map(name -> setup.environment(name).path("EVENTO_DB_URL")),
                Stream.of(setup.environment("bank").path("BANK_JDBC_URL")))
            .map(JsonNode::asText);
    var hosts =
        setup.databases.stream().map(name -> name + ":5432").collect(Collectors.joining(","));

    assertThat(urls)
        .allMatch(url -> url.startsWith("jdbc:postgresql://" + hosts + "/evento"))
        .allMatch(url -> setup.databases.size() == 1 || url.contains("targetServerType=primary"));
  }

  @ParameterizedTest
  @EnumSource
  void every_mounted_or_built_file_exists(Setup setup) {
    var folder = Objects.requireNonNull(setup.file.getParent());
    var files = new ArrayList<Path>();
    for (var service : setup.services) {
      elements(service.path("volumes"))
          .map(JsonNode::asText)
          .filter(mount -> mount.startsWith("."))
          .forEach(mount -> files.add(folder.resolve(mount.substring(0, mount.indexOf(':')))));
      var build = service.path("build");
      if (!build.isMissingNode()) {
        assertThat(folder.resolve(build.path("context").asText()).normalize()).hasToString("");
        files.add(Path.of(build.path("dockerfile").asText()));
      }
    }

    assertThat(files).hasSizeGreaterThan(3).allMatch(Files::exists);
  }

  @Test
  void images_are_built_from_what_the_build_makes_and_the_context_lets_in() throws Exception {
    var allowed =
        Files.readAllLines(Path.of(".dockerignore")).stream()
            .filter(line -> line.startsWith("!"))
            .map(line -> line.substring(1))
            .toList();
    for (var file : List.of("Dockerfile.node", "Dockerfile.bank", "patroni/Dockerfile")) {
      var copied =
          Files.readAllLines(FOLDER.resolve(file)).stream()
              .filter(line -> line.startsWith("COPY ") && !line.contains("--from="))
              .flatMap(
                  line -> {
                    var words = line.replaceFirst("COPY (--\\S+ )*", "").split(" ");
                    return Stream.of(words).limit(words.length - 1L);
                  })
              .toList();
      assertThat(copied)
          .as(file)
          .isNotEmpty()
          .allMatch(
              path -> allowed.stream().anyMatch(let -> Path.of(path).startsWith(Path.of(let))));
    }
  }

  @Test
  void patroni_waits_for_a_standby_and_its_times_fit_each_other() {
    var dcs = MonitoringFiles.yaml(PATRONI).path("bootstrap").path("dcs");

    assertThat(dcs.path("synchronous_mode").asBoolean()).isTrue();
    assertThat(dcs.path("synchronous_mode_strict").asBoolean()).isTrue();
    assertThat(dcs.path("postgresql").path("use_pg_rewind").asBoolean()).isTrue();
    // What Patroni itself asks for, from its release 3.1 on.
    var ttl = dcs.path("ttl").asInt();
    assertThat(ttl).isGreaterThanOrEqualTo(20);
    assertThat(dcs.path("loop_wait").asInt() + 2 * dcs.path("retry_timeout").asInt())
        .isPositive()
        .isLessThanOrEqualTo(ttl);
  }

  @Test
  void every_member_of_patroni_has_an_address_of_its_own_and_knows_every_etcd() {
    for (var name : Setup.PATRONI.databases) {
      var environment = Setup.PATRONI.environment(name);
      assertThat(environment.path("PATRONI_NAME").asText()).isEqualTo(name);
      assertThat(environment.path("PATRONI_POSTGRESQL_CONNECT_ADDRESS").asText())
          .isEqualTo(name + ":5432");
      assertThat(environment.path("PATRONI_RESTAPI_CONNECT_ADDRESS").asText())
          .isEqualTo(name + ":8008");
      assertThat(environment.path("PATRONI_ETCD3_HOSTS").asText().split(","))
          .containsExactlyElementsOf(ETCD.stream().map(etcd -> etcd + ":2379").toList());
    }
  }

  @Test
  void haproxy_accepts_its_configuration() throws Exception {
    var haproxy = Programs.find("haproxy");
    assumeTrue(haproxy.isPresent(), "HAProxy is not installed");
    Programs.accepts(
        haproxy.get(),
        Path.of("").toAbsolutePath(),
        Map.of("NODE_1", "127.0.0.1:1", "NODE_2", "127.0.0.1:2", "NODE_3", "127.0.0.1:3"),
        List.of("-c", "-f", "docker/haproxy.cfg"));
  }

  private static Stream<JsonNode> elements(JsonNode parent) {
    return StreamSupport.stream(parent.spliterator(), false);
  }
}
