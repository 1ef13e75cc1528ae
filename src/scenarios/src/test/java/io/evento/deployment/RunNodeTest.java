package io.evento.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code payara/run-node.sh} makes of its environment, and the unit of systemd around it. */
class RunNodeTest {
  private static final Path FOLDER = Path.of("payara").toAbsolutePath();

  @TempDir private Path folder;

  /** How it ended, and the command line that it ended in. */
  private record Run(int code, List<String> said) {}

  private Run run(Map<String, String> environment) throws IOException, InterruptedException {
    var java = folder.resolve("java");
    Files.writeString(java, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
    assertThat(java.toFile().setExecutable(true)).isTrue();
    var builder =
        new ProcessBuilder("bash", FOLDER.resolve("run-node.sh").toString())
            .redirectErrorStream(true);
    builder.environment().put("PATH", folder + ":" + System.getenv("PATH"));
    builder.environment().putAll(environment);
    var process = builder.start();
    var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return new Run(process.exitValue(), said.lines().toList());
  }

  @Test
  void a_node_has_a_share_of_the_memory_and_a_log_for_files() throws Exception {
    var run = run(Map.of());

    assertThat(run.code()).isZero();
    assertThat(run.said())
        .contains("-XX:MaxRAMPercentage=60", "--nocluster", FOLDER + "/logging.properties")
        .doesNotContain("");
    assertThat(run.said().get(0)).isEqualTo("@" + FOLDER + "/jvm-options");
  }

  @Test
  void the_environment_changes_them() throws Exception {
    var work = folder.resolve("work");
    Files.createDirectories(work.resolve("node-former/unpacked"));
    var run =
        run(
            Map.of(
                "LOG_FORMAT", "json",
                "HEAP_PERCENT", "75",
                "JAVA_OPTIONS", "-XX:+HeapDumpOnOutOfMemoryError -Xlog:gc",
                "NODE_WORK_DIR", work.toString()));

    assertThat(run.said())
        .contains(
            "-XX:MaxRAMPercentage=75",
            "-XX:+HeapDumpOnOutOfMemoryError",
            "-Xlog:gc",
            FOLDER + "/logging-json.properties")
        .anyMatch(option -> option.startsWith("-Djava.io.tmpdir=" + work + "/node-"));
    try (var left = Files.list(work)) {
      assertThat(left).hasSize(1).doesNotContain(work.resolve("node-former"));
    }
  }

  @Test
  void a_folder_to_work_in_is_made() throws Exception {
    var work = folder.resolve("new");
    var run = run(Map.of("NODE_WORK_DIR", work.toString()));

    assertThat(run.code()).as(run.said().toString()).isZero();
    assertThat(work).isDirectory();
  }

  @Test
  void a_server_that_is_prepared_starts_from_its_archive_until_it_is_another_one()
      throws Exception {
    var unpacked = Files.createDirectories(folder.resolve("payara-micro"));
    var jar = Files.writeString(folder.resolve("payara-micro.jar"), "a server");
    var environment = Map.of("UNPACKED", unpacked.toString(), "PAYARA_MICRO_JAR", jar.toString());
    assertThat(run(environment).said()).containsSequence("-jar", jar.toString());

    Files.writeString(unpacked.resolve("classes.jsa"), "");
    Files.writeString(unpacked.resolve("made-of"), Files.size(jar) + "\n");
    assertThat(run(environment).said())
        .containsSequence(
            "-XX:SharedArchiveFile=" + unpacked + "/classes.jsa", "@" + FOLDER + "/launch-options")
        .containsSequence(
            "-cp",
            jar + ":" + unpacked + "/launch-micro.jar",
            "fish.payara.micro.impl.PayaraMicroImpl",
            "--nocluster")
        .doesNotContain("-jar");

    Files.writeString(jar, "another server");
    assertThat(run(environment).said()).containsSequence("-jar", jar.toString());
  }

  /** A start by the class has to be told what a start by the jar reads there. */
  @Test
  void the_options_of_a_launch_are_those_of_the_servers_manifest() throws Exception {
    var wanted = new ArrayList<String>();
    try (var jar = new JarFile("target/payara-micro.jar")) {
      for (var name : List.of("Add-Exports", "Add-Opens")) {
        for (var one : jar.getManifest().getMainAttributes().getValue(name).split(" ")) {
          wanted.add("--" + name.toLowerCase(Locale.ROOT) + "=" + one + "=ALL-UNNAMED");
        }
      }
    }
    assertThat(Files.readAllLines(FOLDER.resolve("launch-options")))
        .filteredOn(line -> !line.startsWith("#"))
        .containsExactlyElementsOf(wanted);
  }

  @Test
  void what_it_does_not_understand_it_refuses() throws Exception {
    assertThat(run(Map.of("LOG_FORMAT", "xml")))
        .isEqualTo(new Run(64, List.of("LOG_FORMAT must be text or json, is xml")));
    for (var wrong : List.of("0", "100", "half")) {
      assertThat(run(Map.of("HEAP_PERCENT", wrong)))
          .isEqualTo(new Run(64, List.of("HEAP_PERCENT must be 1 to 99, is " + wrong)));
    }
  }

  @Test
  void systemd_accepts_the_unit_and_finds_little_that_it_may() throws Exception {
    var systemd = Programs.find("systemd-analyze");
    assumeTrue(systemd.isPresent(), "systemd is not installed");
    assumeTrue(release(systemd.get()) >= 250, "systemd is older than --offline");
    var text =
        Files.readString(FOLDER.resolve("evento-node.service"))
            .replace("ExecStart=/opt/evento/", "ExecStart=" + FOLDER + "/");
    var unit = Files.writeString(folder.resolve("evento-node.service"), text);
    Programs.accepts(systemd.get(), folder, Map.of(), List.of("verify", unit.toString()));
    // Of 100; 17 when this was written.
    Programs.accepts(
        systemd.get(),
        folder,
        Map.of(),
        List.of("security", "--offline=true", "--threshold=25", unit.toString()));
  }

  /** As in {@code systemd 252 (252.36-1~deb12u1)}. */
  private static int release(Path systemd) throws IOException, InterruptedException {
    var process = new ProcessBuilder(systemd.toString(), "--version").start();
    var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return Integer.parseInt(said.replaceFirst("(?s)^systemd (\\d+).*$", "$1"));
  }

  @Test
  void each_file_that_a_node_needs_is_in_its_image() throws Exception {
    var image = Files.readString(Path.of("docker/Dockerfile.node"));
    var script = Files.readString(FOLDER.resolve("run-node.sh"));
    var needed = new ArrayList<String>();
    try (var files = Files.list(FOLDER)) {
      files
          .map(file -> file.getFileName().toString())
          .filter(script::contains)
          .forEach(needed::add);
    }
    assertThat(needed).contains("jvm-options", "logging-json.properties");
    needed.remove("README.md");
    assertThat(needed).allMatch(file -> image.contains("payara/" + file));
  }
}
