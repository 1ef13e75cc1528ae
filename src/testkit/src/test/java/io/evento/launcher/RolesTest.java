package io.evento.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RolesTest {

  @Test
  void a_value_is_quoted_as_psql_quotes_it() {
    var filled =
        Roles.filled(
            "alter role r password :'password'; grant create on database :\"DBNAME\" to r",
            Map.of("password", "it's $1", "DBNAME", "my\"db"));

    assertThat(filled)
        .isEqualTo("alter role r password 'it''s $1'; grant create on database \"my\"\"db\" to r");
  }

  @Test
  void a_cast_is_no_variable() {
    assertThat(Roles.filled("select '1'::int", Map.of())).isEqualTo("select '1'::int");
  }

  @Test
  void a_variable_that_nobody_gives_is_named() {
    assertThatThrownBy(() -> Roles.filled("select :'nobody'", Map.of()))
        .hasMessage("roles.sql asks for nobody, which nobody gives");
  }

  @Test
  void the_script_needs_no_command_of_psql() throws Exception {
    assertThat(Files.readAllLines(Path.of("docker/roles.sql")))
        .noneMatch(line -> line.startsWith("\\"));
  }
}
