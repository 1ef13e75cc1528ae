package io.evento.server.personal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A schema that was handed over, as by a restore under another role: its owner has another name.
 */
class OtherOwnerTest {
  private static final String HAND_OVER =
      """
      do $$
      declare one text;
      begin
        create role %1$s;
        alter schema evento owner to %1$s;
        for one in select format('alter table %%s owner to %1$s', c.oid::regclass) from pg_class c
                    where c.relnamespace = 'evento'::regnamespace and c.relkind in ('r', 'p') loop
          execute one;
        end loop;
        for one in select format('alter function %%s owner to %1$s', p.oid::regprocedure) from pg_proc p
                    where p.pronamespace = 'evento'::regnamespace loop
          execute one;
        end loop;
      end $$
      """;

  private final String owner = "owner_" + UUID.randomUUID().toString().replace("-", "");
  private TestDatabase where;

  @BeforeEach
  void handOver() throws SQLException {
    where = PostgresFixture.shared().migrated();
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(HAND_OVER.formatted(owner));
    }
  }

  @AfterEach
  void close() throws SQLException {
    where.close();
    var other = PostgresFixture.shared().migrated();
    try (var admin = other.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute("drop role " + owner);
    }
    other.close();
  }

  private static long one(Connection open, String query) throws SQLException {
    try (var statement = open.createStatement();
        var row = statement.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }

  private static void execute(Connection open, String statement) throws SQLException {
    try (var made = open.createStatement()) {
      made.execute(statement);
    }
  }

  @Test
  void an_erasure_drops_the_keys_and_is_audited_once_whoever_does_it_how() throws SQLException {
    try (var server = where.asServer();
        var admin = where.asAdmin()) {
      execute(
          admin,
          """
          insert into evento.subject_key (subject, version, master, wrapped)
          select rpad(id, 22, '-'), 1, 'm', '\\x00' from unnest(array['ada', 'bea', 'cleo']) id
          """);
      assertThat(
              one(
                  server,
                  """
                  select evento.erase_1(array[rpad('ada', 22, '-')], array['ada'], array[null]::timestamptz[],
                                        array['user otto'], array['asked for'], 'a', '')
                  """))
          .isEqualTo(1);
      // As a node of an earlier release does it.
      execute(
          server,
          """
          insert into evento.erasure (subject, id, erased_at, erased_by, reason)
          values (rpad('bea', 22, '-'), 'bea', clock_timestamp(), 'user otto', 'asked for')
          """);
      execute(server, "delete from evento.subject_key where subject like 'bea-%'");
      assertThatThrownBy(
              () -> execute(server, "delete from evento.subject_key where subject like 'cleo-%'"))
          .hasMessageContaining("a key is dropped with the erasure of its subject");
      assertThat(one(admin, "select count(*) from evento.subject_key")).isEqualTo(1);
      for (var subject : new String[] {"ada", "bea"}) {
        assertThat(
                one(
                    admin,
                    "select count(*) from evento.audit where action = 'erase subject' and object = '"
                        + subject
                        + "'"))
            .as(subject)
            .isEqualTo(1);
      }
    }
  }
}
