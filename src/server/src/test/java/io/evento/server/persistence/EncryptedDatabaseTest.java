package io.evento.server.persistence;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.testing.PostgresFixture;
import io.evento.testing.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The way to the database as the documents have it set up: by its name, and by SCRAM within TLS.
 */
class EncryptedDatabaseTest {
  private static final String PASSWORD = "a password of the test";

  private static final String RULES =
      """
      host     all  postgres       all  trust
      hostssl  all  evento_server  all  scram-sha-256
      host     all  all            all  reject
      """;

  @TempDir private Path directory;

  /** What the script makes: an authority, and a certificate of that name by it. */
  private Path certificate(String name) throws IOException, InterruptedException {
    var made = Files.createDirectory(directory.resolve(name));
    var script =
        new ProcessBuilder("docker/certificate.sh", "localhost", made.toString(), made.toString())
            .inheritIO()
            .start();
    assertThat(script.waitFor()).isZero();
    return made;
  }

  private static String by(PostgresServer server, String host, Path authority, String mode)
      throws SQLException {
    var url =
        "jdbc:postgresql://%s:%d/postgres?sslmode=%s&channelBinding=require&sslrootcert=%s"
            .formatted(host, server.port(), mode, authority.resolve("ca.crt"));
    try (var connection = DriverManager.getConnection(url, PostgresFixture.SERVER, PASSWORD);
        var statement = connection.createStatement();
        var row =
            statement.executeQuery(
                "select version from pg_stat_ssl where ssl and pid = pg_backend_pid()")) {
      row.next();
      return row.getString(1);
    }
  }

  @Test
  void only_a_server_that_proves_its_name_gets_a_password_and_only_within_tls() throws Exception {
    try (var server = PostgresServer.start()) {
      var ours = certificate("ours");
      var other = certificate("other");
      server.execute("alter role evento_server password '" + PASSWORD + "'");
      var data = Path.of(Objects.requireNonNull(server.ask("show data_directory")));
      Files.writeString(data.resolve("pg_hba.conf"), RULES);
      server.configure("ssl_cert_file", ours.resolve("server.crt").toString());
      server.configure("ssl_key_file", ours.resolve("server.key").toString());
      server.configure("ssl", "on");

      await()
          .atMost(ofSeconds(20))
          .ignoreExceptions()
          .until(() -> by(server, "localhost", ours, "verify-full").startsWith("TLSv1."));
      assertThatThrownBy(() -> by(server, "127.0.0.1", ours, "verify-full"))
          .as("another name than that of the certificate")
          .hasMessageContaining("could not be verified");
      assertThatThrownBy(() -> by(server, "localhost", other, "verify-full"))
          .as("another authority")
          .hasMessageContaining("SSL error");
      assertThatThrownBy(() -> by(server, "localhost", ours, "disable"))
          .as("without TLS")
          .isInstanceOf(SQLException.class);
    }
  }
}
