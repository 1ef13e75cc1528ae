package io.evento.server.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Statements as they reach a real database, and what is read of its answers. */
class SqlTest {
  private static TestDatabase database;
  private Connection open;

  /** A key of two columns. */
  private record Key(String name, int version) implements Sql.Columns {
    @Override
    public void bindTo(Sql sql) throws SQLException {
      sql.bind(name).bind(version);
    }
  }

  @BeforeAll
  static void start() {
    database = PostgresFixture.shared().migrated();
  }

  @AfterAll
  static void drop() {
    database.close();
  }

  @BeforeEach
  void connect() throws SQLException {
    open = database.asAdmin();
    try (var make = open.createStatement()) {
      make.execute("create temporary table thing (name text, version int, amount bigint)");
    }
  }

  @AfterEach
  void close() throws SQLException {
    open.close();
  }

  @Test
  void values_arrive_in_their_order_each_with_its_type() throws SQLException {
    var id = UUID.randomUUID();
    var at = OffsetDateTime.parse("2024-05-06T07:08:09.123456Z");
    try (var select = Sql.prepare(open, "select ?, ?, ?, ?, ?, ?, ?, ?, ?")) {
      select.bind("a\"b").bind(7).bind(1L << 40).bind(0.5).bind(true).bind(id).bind(at);
      var found = select.bind(new Key("k", 3)).rows(row -> all(row, 9));
      assertThat(found)
          .containsExactly(List.of("a\"b", "7", "1099511627776", "0.5", "t", id, "at", "k", "3"));
    }
  }

  private static List<Object> all(ResultSet row, int columns) throws SQLException {
    var values = new ArrayList<Object>();
    for (var at = 1; at <= columns; at++) {
      values.add(
          switch (at) {
            case 6 -> row.getObject(at, UUID.class);
            case 7 -> row.getObject(at, OffsetDateTime.class).getNano() == 123_456_000 ? "at" : "";
            default -> row.getString(at);
          });
    }
    return values;
  }

  @Test
  void null_is_null_whatever_the_type() throws SQLException {
    try (var select =
        Sql.prepare(open, "select ? is null, ?::uuid is null, ?::timestamptz is null")) {
      select.bind((String) null).bind((UUID) null).bind((OffsetDateTime) null);
      var areNull =
          select.one(row -> List.of(row.getBoolean(1), row.getBoolean(2), row.getBoolean(3)));
      assertThat(areNull).containsOnly(true);
    }
  }

  @Test
  void arrays_keep_order_nulls_and_whatever_a_text_holds() throws SQLException {
    var texts = Arrays.asList("{a,b}", null, "\"\\", "");
    try (var select = Sql.prepare(open, "select unnest(?::text[]), unnest(?::int[])")) {
      select.array("text", texts).array("int", List.of("a", "bb", "", "c"), SqlTest::length);
      assertThat(select.rows(row -> row.getString(1) + row.getString(2)))
          .containsExactly("{a,b}1", "null2", "\"\\null", "1");
    }
    try (var select = Sql.prepare(open, "select cardinality(?::uuid[])")) {
      int count = select.array("uuid", List.of()).one(row -> row.getInt(1));
      assertThat(count).isZero();
    }
  }

  private static @Nullable Integer length(String text) {
    return text.isEmpty() ? null : text.length();
  }

  @Test
  void the_first_row_is_given_or_nothing() throws SQLException {
    var query = "select n from generate_series(1, ?) as n order by n";
    try (var select = Sql.prepare(open, query)) {
      assertThat(select.bind(3).first(row -> row.getInt(1))).contains(1);
    }
    try (var select = Sql.prepare(open, query)) {
      assertThat(select.bind(0).first(row -> row.getInt(1))).isEmpty();
    }
  }

  @Test
  void a_batch_binds_each_time_from_the_first_parameter_on() throws SQLException {
    try (var insert = Sql.prepare(open, "insert into thing values (?, ?, ?)")) {
      for (var number = 1; number <= 3; number++) {
        insert.bind(new Key("k", number)).bind(number * 10L);
        insert.addToBatch();
      }
      assertThat(insert.updateBatch()).containsExactly(1, 1, 1);
    }
    var seen = new ArrayList<String>();
    try (var select = Sql.prepare(open, "select version, amount from thing order by version")) {
      select.each(row -> seen.add(row.getInt(1) + "=" + row.getLong(2)));
    }
    assertThat(seen).containsExactly("1=10", "2=20", "3=30");
    try (var update = Sql.prepare(open, "update thing set amount = 0 where version < ?")) {
      assertThat(update.bind(3).update()).isEqualTo(2);
    }
  }

  @Test
  void a_refused_statement_is_closed_with_the_block() throws SQLException {
    try (var select = Sql.prepare(open, "select 1 / ?")) {
      select.bind(0);
      assertThatThrownBy(() -> select.one(row -> row.getInt(1))).isInstanceOf(SQLException.class);
    }
    try (var select = Sql.prepare(open, "select ?")) {
      int found = select.bind(1).one(row -> row.getInt(1));
      assertThat(found).isEqualTo(1);
    }
  }
}
