package ${package};

import io.evento.bundle.EventoBundle;
import java.sql.SQLException;
import org.postgresql.ds.PGSimpleDataSource;

/** Connects the components, and stays until the process is told to end. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) throws SQLException {
    // Opens a connection each time: give it a pool, such as HikariCP, before there is load.
    var database = new PGSimpleDataSource();
    database.setUrl(
        variable(
            "DATABASE_URL",
            "jdbc:postgresql://127.0.0.1:5440/evento?user=evento_bank&password=bank&currentSchema=bank"));
    var servers =
        variable("EVENTO_SERVERS", "ws://127.0.0.1:8081/evento,ws://127.0.0.1:8082/evento");
    try (var bundle =
        EventoBundle.named("${artifactId}")
            .connect(servers.split(","))
            .register(Guestbook.class, new Signatures(database))
            .jdbc(database)
            .start()) {
      bundle.awaitStop();
    }
  }

  private static String variable(String name, String otherwise) {
    var said = System.getenv(name);
    return said == null || said.isBlank() ? otherwise : said;
  }
}
