package io.evento.server.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.testing.PostgresFixture;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The statements that runbooks have operators type, on a schema of this release. */
class RunbookStatementsTest {
  private static final Path DOCS = Path.of("src/docs");
  private static final Pattern SQL = Pattern.compile("(?s)```sql\\n(.*?)```");

  /** What is for a server of its own, or names something that only a cluster has. */
  private static final Pattern NOT_HERE =
      Pattern.compile("alter system|pg_reload_conf|drop_replication_slot|terminate|PID|NAME");

  @Test
  void postgresql_takes_each_of_them() throws Exception {
    var taken = 0;
    try (var database = PostgresFixture.shared().migrated();
        var admin = database.asAdmin();
        var statement = admin.createStatement()) {
      for (var page : List.of("runbooks.md", "operations.md", "postgresql.md")) {
        for (var block : SQL.matcher(Files.readString(DOCS.resolve(page))).results().toList()) {
          for (var sql : block.group(1).split(";\\s*(\\n|$)")) {
            if (!sql.isBlank() && !NOT_HERE.matcher(sql).find()) {
              statement.execute(sql);
              taken++;
            }
          }
        }
      }
    }
    assertThat(taken).isGreaterThan(15);
  }
}
