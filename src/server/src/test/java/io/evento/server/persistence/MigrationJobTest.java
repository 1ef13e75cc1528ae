package io.evento.server.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.server.config.ServerConfig;
import io.evento.server.fixture.NodeConfig;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.flywaydb.database.postgresql.PostgreSQLDatabaseType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.Driver;

/** The migrations as a job of their own, and nodes that never had the owner's credentials. */
class MigrationJobTest {
  private static final String SECRET = "not to be told";

  @TempDir private Path directory;

  private static ServerConfig withoutOwner(TestDatabase where) {
    var node = NodeConfig.of(where, "a");
    var database = node.database();
    return new ServerConfig(
        node.node(),
        new ServerConfig.Database(
            database.url(),
            database.user(),
            database.password(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            4,
            false),
        node.link(),
        node.http(),
        node.webSocket(),
        node.security());
  }

  private static void start(ServerConfig config) throws Exception {
    var database = new Database(config);
    try {
      new Migrations(config, database).run();
    } finally {
      database.close();
    }
  }

  @Test
  void a_node_without_the_owners_credentials_waits_until_the_job_has_run() throws Exception {
    try (var where = PostgresFixture.shared().empty()) {
      try (var admin = where.asAdmin();
          var statement = admin.createStatement()) {
        statement.execute("revoke create on schema public from public");
      }
      assertThatThrownBy(() -> start(withoutOwner(where))).hasMessageContaining("run MigrationJob");

      assertThat(inAProcess(where)).contains("schema is migrated steps=").doesNotContain(SECRET);
      assertThatCode(() -> start(withoutOwner(where))).doesNotThrowAnyException();

      assertThat(inAProcess(where)).as("again").contains("steps=0");
    }
  }

  /** With what the WAR brings and nothing of an application server. */
  private String inAProcess(TestDatabase where) throws Exception {
    var password = Files.writeString(directory.resolve("password"), SECRET + "\n");
    var brought =
        Stream.of(
                MigrationJob.class,
                Flyway.class,
                PostgreSQLDatabaseType.class,
                Driver.class,
                ObjectMapper.class,
                JsonFactory.class,
                JsonProperty.class)
            .map(type -> type.getProtectionDomain().getCodeSource().getLocation().getPath())
            .collect(Collectors.joining(File.pathSeparator));
    var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    var builder =
        new ProcessBuilder(java, "-Xmx128m", "-cp", brought, MigrationJob.class.getName())
            .redirectErrorStream(true);
    builder
        .environment()
        .putAll(
            Map.of(
                "EVENTO_DB_URL", where.url(),
                "EVENTO_DB_OWNER_USER", PostgresFixture.OWNER,
                "EVENTO_DB_OWNER_PASSWORD_FILE", password.toString()));
    var job = builder.start();
    var said = new String(job.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(job.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(job.exitValue()).as(said).isZero();
    return said;
  }

  private static String refusal(Map<String, String> environment) throws InterruptedException {
    var said = new ByteArrayOutputStream();
    var out = new PrintStream(said, true, StandardCharsets.UTF_8);
    assertThat(MigrationJob.run(environment, Duration.ZERO, out)).isFalse();
    return said.toString(StandardCharsets.UTF_8);
  }

  @Test
  void what_is_wrong_is_said_by_its_name_and_without_the_password() throws Exception {
    var environment = new HashMap<String, String>();
    assertThat(refusal(environment)).contains("EVENTO_DB_URL is needed");
    environment.put("EVENTO_DB_URL", "jdbc:postgresql://db.example.com/evento");
    environment.put("EVENTO_DB_OWNER_PASSWORD", SECRET);
    assertThat(refusal(environment)).contains("sslmode=verify-full").doesNotContain(SECRET);
    environment.put("EVENTO_DB_URL", "jdbc:postgresql://127.0.0.1:1/evento");
    assertThat(refusal(environment)).contains("not migrated").doesNotContain(SECRET);
  }
}
