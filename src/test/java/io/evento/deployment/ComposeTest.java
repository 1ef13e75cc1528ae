package io.evento.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.yaml.snakeyaml.Yaml;

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
      this.services = yaml(this.file).path("services");
    }

    JsonNode environment(String service) {
      return services.path(service).path("environment");
    }
  }

  private static final Path FOLDER = Path.of("docker");
  private static final Path PATRONI = Path.of("docker/patroni/patroni.yml");
  private static final List<String> NODES = List.of("node-1", "node-2", "node-3");
  private static final List<String> ETCD = List.of("etcd-1", "etcd-2", "etcd-3");
  private static final Path HAPROXY = Path.of("/usr/sbin/haproxy");
  private static final long SECONDS_MAX = 30;

  @ParameterizedTest
  @EnumSource
  void all_that_a_cluster_needs_is_there_and_says_whether_it_is_healthy(Setup setup) {
    var expected = new ArrayList<>(List.of("balancer", "bank"));
    expected.addAll(NODES);
    expected.addAll(setup.databases);
    expected.addAll(setup == Setup.PATRONI ? ETCD : List.of());

    assertThat(setup.services.fieldNames())
        .toIterable()
        .containsExactlyInAnyOrderElementsOf(expected);
    assertThat(setup.services).allMatch(service -> service.path("healthcheck").has("test"));
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
              .filter(line -> line.startsWith("COPY "))
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
    var dcs = yaml(PATRONI).path("bootstrap").path("dcs");

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
    assumeTrue(Files.isExecutable(HAPROXY), "HAProxy is not installed");
    var builder =
        new ProcessBuilder(HAPROXY.toString(), "-c", "-f", "docker/haproxy.cfg")
            .redirectErrorStream(true);
    builder
        .environment()
        .putAll(Map.of("NODE_1", "127.0.0.1:1", "NODE_2", "127.0.0.1:2", "NODE_3", "127.0.0.1:3"));
    var check = builder.start();
    var said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(check.waitFor(SECONDS_MAX, TimeUnit.SECONDS)).isTrue();
    assertThat(check.exitValue()).as(said).isZero();
  }

  private static Stream<JsonNode> elements(JsonNode parent) {
    return StreamSupport.stream(parent.spliterator(), false);
  }

  private static JsonNode yaml(Path file) {
    try (var reader = Files.newBufferedReader(file)) {
      return new ObjectMapper().valueToTree(new Yaml().<Map<String, Object>>load(reader));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
