package io.evento.spring.good;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import org.springframework.boot.autoconfigure.AutoConfigurationPackage;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;

/** An application with one aggregate and one projector, which writes by Spring's own means. */
@Configuration
@AutoConfigurationPackage
public class Doors {
  public record Open(@AggregateId String door) {}

  public record Opened(int times) {}

  public record CountOpened(String door) {}

  @Aggregate(context = "doors")
  public record Door(int times) {
    @CommandHandler
    static Opened open(Open command) {
      return new Opened(1);
    }

    @EventSourcingHandler
    static Door opened(Opened event) {
      return new Door(event.times());
    }
  }

  /** Takes no connection: the rows are in the transaction of the application. */
  @Projector(name = "counts", context = "doors")
  public static class Counts {
    private final JdbcTemplate rows;

    public Counts(JdbcTemplate rows) {
      this.rows = rows;
      rows.execute("create table if not exists opened (door text)");
    }

    @EventHandler
    void on(Opened event, EventMetadata of) {
      rows.update("insert into opened values (?)", of.aggregateId());
    }

    @QueryHandler
    int count(CountOpened query) {
      var found =
          rows.queryForObject(
              "select count(*) from opened where door = ?", Integer.class, query.door());
      return found == null ? 0 : found;
    }
  }
}
