package hello;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.*;
import io.evento.bundle.gateway.QueryOptions;
import java.sql.*;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

public final class Hello {
  public record Greet(@AggregateId String visitor) {}

  public record Greeted(int times) {}

  public record TimesGreeted(String visitor) {}

  @Aggregate(context = "hello")
  public record Visitor(int greetings) {
    @CommandHandler
    static Greeted greet(Greet command, Visitor present) {
      return new Greeted(present == null ? 1 : present.greetings + 1);
    }

    @EventSourcingHandler
    static Visitor greeted(Greeted event, Visitor before) {
      return new Visitor(event.times());
    }
  }

  @Projector(name = "greetings", context = "hello")
  public static class Greetings {
    public Greetings(DataSource database) throws SQLException {
      try (var tx = database.getConnection()) {
        tx.createStatement()
            .execute("create table if not exists greeting(visitor text, times int)");
      }
    }

    @EventHandler
    void on(Greeted event, EventMetadata of, Connection tx) throws SQLException {
      var insert = tx.prepareStatement("insert into greeting values (?, ?)");
      insert.setString(1, of.aggregateId());
      insert.setInt(2, event.times());
      insert.executeUpdate();
    }

    @QueryHandler
    int times(TimesGreeted query, Connection tx) throws SQLException {
      var max = tx.prepareStatement("select max(times) from greeting where visitor = ?");
      max.setString(1, query.visitor());
      var row = max.executeQuery();
      row.next();
      return row.getInt(1);
    }
  }

  public static void main(String[] args) throws SQLException {
    var database = new PGSimpleDataSource();
    database.setUrl(System.getenv("HELLO_DB"));
    try (var hello =
        EventoBundle.named("hello")
            .fromEnvironment() // EVENTO_SERVERS
            .register(Visitor.class, new Greetings(database))
            .jdbc(database)
            .start()) {
      var stored = hello.commands().send(new Greet("Ada"));
      var after = QueryOptions.after(stored);
      System.out.println(hello.queries().ask(new TimesGreeted("Ada"), Integer.class, after));
    }
  }
}
