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
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

class ComposeTest {

  private static final Path FOLDER = Path.of("docker");
  private static final List<String> NODES = List.of("node-1", "node-2", "node-3");
  private static final Path HAPROXY = Path.of("/usr/sbin/haproxy");
  private static final long SECONDS_MAX = 30;

  private final JsonNode services = compose().path("services");

  @Test
  void all_that_a_cluster_needs_is_there_and_says_whether_it_is_healthy() {
    var expected = Stream.concat(Stream.of("postgres", "balancer", "bank"), NODES.stream());

    assertThat(services.fieldNames())
        .toIterable()
        .containsExactlyInAnyOrderElementsOf(expected.toList());
    assertThat(services).allMatch(service -> service.path("healthcheck").has("test"));
  }

  @Test
  void each_node_has_a_name_an_address_and_a_port_of_its_own() {
    for (var name : NODES) {
      var environment = services.path(name).path("environment");
      assertThat(environment.path("EVENTO_NODE_NAME").asText()).isEqualTo(name);
      assertThat(environment.path("EVENTO_NODE_BIND").asText()).isEqualTo(name);
      assertThat(environment.path("EVENTO_NODE_URL").asText())
          .isEqualTo("ws://" + name + ":8080/evento");
      assertThat(environment.path("EVENTO_DB_USER").asText()).isEqualTo("evento_server");
    }
  }

  @Test
  void every_port_is_published_once_and_on_loopback() {
    var published =
        elements(services)
            .flatMap(service -> elements(service.path("ports")))
            .map(JsonNode::asText);
    var hosts = published.map(port -> port.substring(0, port.lastIndexOf(':'))).toList();

    assertThat(hosts)
        .isNotEmpty()
        .doesNotHaveDuplicates()
        .allMatch(at -> at.startsWith("127.0.0.1:"));
  }

  @Test
  void bundles_dial_every_node() {
    var servers = services.path("bank").path("environment").path("EVENTO_SERVERS").asText();

    assertThat(servers.split(","))
        .containsExactlyElementsOf(
            NODES.stream().map(name -> "ws://" + name + ":8080/evento").toList());
  }

  @Test
  void every_mounted_or_built_file_exists() {
    var files = new ArrayList<Path>();
    for (var service : services) {
      elements(service.path("volumes"))
          .map(JsonNode::asText)
          .filter(mount -> mount.startsWith("./"))
          .forEach(mount -> files.add(FOLDER.resolve(mount.substring(0, mount.indexOf(':')))));
      if (service.has("build")) {
        files.add(Path.of(service.path("build").path("dockerfile").asText()));
      }
    }

    assertThat(files).hasSizeGreaterThan(3).allMatch(Files::exists);
  }

  @Test
  void images_are_built_from_what_the_build_makes_and_the_context_lets_in() throws Exception {
    var allowed = Files.readString(Path.of(".dockerignore"));
    for (var file : List.of("Dockerfile.node", "Dockerfile.bank")) {
      Files.readAllLines(FOLDER.resolve(file)).stream()
          .filter(line -> line.startsWith("COPY "))
          .flatMap(line -> Stream.of(line.substring(5).split(" ")))
          .filter(path -> path.startsWith("target/"))
          .forEach(path -> assertThat(allowed).contains("!" + path.replaceFirst("/$", "")));
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

  private static JsonNode compose() {
    try (var reader = Files.newBufferedReader(FOLDER.resolve("compose.yaml"))) {
      return new ObjectMapper().valueToTree(new Yaml().<Map<String, Object>>load(reader));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
