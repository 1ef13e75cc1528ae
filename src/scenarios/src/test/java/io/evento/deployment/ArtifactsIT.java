package io.evento.deployment;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What users depend on: the jars of this build, and what the examples had of a repository. */
class ArtifactsIT {
  private static final Path BUILT = Path.of("target").toAbsolutePath();
  private static final List<String> SDK =
      List.of("evento-bundle", "jackson-annotations", "jackson-core", "jackson-databind");

  @Test
  void the_sdk_brings_jackson_and_nothing_else() {
    // The example itself asks for the driver, which brings the checker's annotations.
    assertThat(names(jars(BUILT.resolve("examples/hello/target/lib"))))
        .containsExactlyInAnyOrderElementsOf(with(SDK, "postgresql", "checker-qual"));
  }

  @Test
  void the_extension_of_cdi_brings_the_sdk_and_nothing_else() throws IOException {
    try (var war = new JarFile(BUILT.resolve("examples/bank-cdi/target/bank-cdi.war").toFile())) {
      var libraries =
          war.stream()
              .map(entry -> entry.getName())
              .filter(name -> name.startsWith("WEB-INF/lib/") && name.endsWith(".jar"))
              .map(name -> name.substring("WEB-INF/lib/".length()));
      assertThat(names(libraries))
          .containsExactlyInAnyOrderElementsOf(with(SDK, "evento-bundle-cdi"));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "evento-bundle, io.evento.bundle",
    "evento-testkit, io.evento.testkit",
    "evento-bundle-cdi, io.evento.cdi",
    "evento-bundle-spring, io.evento.spring"
  })
  void each_jar_has_its_module_name_its_sources_and_its_javadoc(String artifact, String module)
      throws IOException {
    var jars = jars(Path.of("src", artifact.substring("evento-".length()), "target")).toList();
    var own = only(jars, artifact, ".jar");
    try (var jar = new JarFile(own)) {
      var said = jar.getManifest().getMainAttributes();
      assertThat(said.getValue("Automatic-Module-Name")).isEqualTo(module);
      assertThat(said.getValue("Implementation-Version")).isNotBlank();
    }
    try (var sources = new JarFile(only(jars, artifact, "-sources.jar"))) {
      assertThat(sources.stream().anyMatch(entry -> entry.getName().endsWith(".java"))).isTrue();
    }
    try (var javadoc = new JarFile(only(jars, artifact, "-javadoc.jar"))) {
      assertThat(javadoc.getEntry("index.html")).isNotNull();
    }
  }

  @Test
  void the_archetype_makes_projects_of_the_release_that_it_belongs_to() throws IOException {
    var built = only(jars(Path.of("src/archetype/target")).toList(), "evento-archetype", ".jar");
    try (var jar = new JarFile(built)) {
      var version = built.replaceFirst(".*/evento-archetype-(.*)\\.jar", "$1");
      var entry = jar.getEntry("archetype-resources/pom.xml");
      try (var pom = jar.getInputStream(entry)) {
        assertThat(new String(pom.readAllBytes(), UTF_8).replaceAll("\\s+", ""))
            .contains("<artifactId>evento-bom</artifactId><version>" + version + "</version>")
            .doesNotContain("@");
      }
    }
  }

  private static List<String> with(List<String> some, String... more) {
    return Stream.concat(some.stream(), Stream.of(more)).toList();
  }

  private static Stream<String> jars(Path directory) {
    try (var files = Files.walk(directory)) {
      return files.map(Path::toString).filter(name -> name.endsWith(".jar")).toList().stream();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static TreeSet<String> names(Stream<String> jars) {
    return jars.map(jar -> jar.substring(jar.lastIndexOf('/') + 1).replaceFirst("-\\d.*", ""))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String only(List<String> jars, String artifact, String end) {
    var found =
        jars.stream()
            .filter(jar -> jar.contains("/" + artifact + "-") && jar.endsWith(end))
            .filter(jar -> !end.equals(".jar") || !jar.matches(".*-(sources|javadoc|tests)\\.jar"))
            .toList();
    assertThat(found).as("%s of %s in %s", end, artifact, jars).hasSize(1);
    return found.get(0);
  }
}
