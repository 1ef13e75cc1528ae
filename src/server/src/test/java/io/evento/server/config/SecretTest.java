package io.evento.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SecretTest {
  @TempDir private Path directory;

  private static Optional<String> read(Map<String, String> source) {
    return Secret.of(key -> Optional.ofNullable(source.get(key)), "evento.db.password");
  }

  @Test
  void a_password_comes_from_its_key_or_from_the_file_that_a_key_names() throws IOException {
    var file = Files.writeString(directory.resolve("password"), "s3cret word\n");
    assertThat(read(Map.of())).isEmpty();
    assertThat(read(Map.of("evento.db.password", "plain"))).contains("plain");
    assertThat(read(Map.of("evento.db.password-file", file.toString()))).contains("s3cret word");
  }

  @Test
  void both_at_once_an_empty_file_and_none_are_refused_by_the_name_of_the_key() throws IOException {
    var file = Files.writeString(directory.resolve("password"), "\n").toString();
    assertThatThrownBy(
            () -> read(Map.of("evento.db.password", "x", "evento.db.password-file", file)))
        .hasMessage("only one of evento.db.password and evento.db.password-file may be set");
    assertThatThrownBy(() -> read(Map.of("evento.db.password-file", file)))
        .hasMessage("evento.db.password-file names an empty file: " + file);
    assertThatThrownBy(() -> read(Map.of("evento.db.password-file", file + "x")))
        .hasMessage("evento.db.password-file names no readable file: " + file + "x");
  }
}
