package io.evento.sample.bank;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the environment says, beside what the SDK reads itself.
 *
 * @param servers where the cluster is, such as {@code ws://127.0.0.1:8081/evento}
 * @param address of the web edge: who reaches it can move money and kill nodes
 * @param transferDeadline for a transfer's money to leave its account
 * @param control the launcher's door to start, kill and freeze processes, if there is one
 * @param console where a browser finds the cluster's console, if somebody said it: where the nodes
 *     are for this process, they need not be for a browser
 */
record Settings(
    List<URI> servers,
    String jdbcUrl,
    String jdbcUser,
    String jdbcPassword,
    InetSocketAddress address,
    Path complianceFile,
    Duration transferDeadline,
    Optional<URI> control,
    Optional<URI> console) {

  static Settings of(Map<String, String> environment) {
    var servers =
        Arrays.stream(environment.getOrDefault("EVENTO_SERVERS", "").split(","))
            .map(String::strip)
            .filter(server -> !server.isEmpty())
            .map(URI::create)
            .toList();
    return new Settings(
        servers,
        environment.getOrDefault("BANK_JDBC_URL", "jdbc:postgresql://127.0.0.1:5432/evento"),
        environment.getOrDefault("BANK_JDBC_USER", "bank"),
        password(environment),
        new InetSocketAddress(
            environment.getOrDefault("BANK_BIND", "127.0.0.1"),
            Integer.parseInt(environment.getOrDefault("BANK_PORT", "8090"))),
        Path.of(environment.getOrDefault("BANK_COMPLIANCE_FILE", "compliance.jsonl")),
        duration(environment.getOrDefault("BANK_TRANSFER_DEADLINE", "20s")),
        address(environment, "BANK_CONTROL_URL"),
        address(environment, "BANK_CONSOLE_URL"));
  }

  private static Optional<URI> address(Map<String, String> environment, String name) {
    return Optional.of(environment.getOrDefault(name, ""))
        .filter(address -> !address.isBlank())
        .map(URI::create);
  }

  /** From a file, as an environment is shown by tools, or from the environment itself. */
  private static String password(Map<String, String> environment) {
    var file = environment.getOrDefault("BANK_JDBC_PASSWORD_FILE", "");
    try {
      return file.isBlank()
          ? environment.getOrDefault("BANK_JDBC_PASSWORD", "")
          : Files.readString(Path.of(file)).stripTrailing();
    } catch (IOException failure) {
      throw new UncheckedIOException("BANK_JDBC_PASSWORD_FILE names no readable file", failure);
    }
  }

  /** {@code 20s}, {@code 1m30s}, or as ISO 8601 writes it. */
  private static Duration duration(String text) {
    var bare = text.strip().replace(" ", "");
    var duration = Duration.parse(bare.startsWith("P") ? bare : "PT" + bare);
    if (duration.isNegative() || duration.isZero()) {
      throw new IllegalArgumentException("BANK_TRANSFER_DEADLINE must be above 0, is " + text);
    }
    return duration;
  }
}
