package io.evento.cdi;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.arjuna.ats.jta.common.jtaPropertyManager;
import io.agroal.api.AgroalDataSource;
import io.agroal.api.configuration.supplier.AgroalDataSourceConfigurationSupplier;
import io.agroal.api.security.NamePrincipal;
import io.agroal.narayana.NarayanaTransactionIntegration;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.testing.PostgresFixture;
import io.evento.testkit.ProjectorFixture;
import jakarta.persistence.Entity;
import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.Id;
import jakarta.persistence.Persistence;
import jakarta.persistence.SynchronizationType;
import jakarta.persistence.Table;
import jakarta.transaction.SystemException;
import jakarta.transaction.Transaction;
import jakarta.transaction.TransactionManager;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.eclipse.persistence.platform.server.ServerPlatformBase;
import org.eclipse.persistence.sessions.DatabaseSession;
import org.eclipse.persistence.transaction.JTATransactionController;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Rows of JPA and the checkpoint in one transaction of a real transaction manager, on a real
 * database. Each batch comes twice, the first time without its commit.
 */
@NullUnmarked
class JpaRowsTest {
  record Take(@AggregateId String seat) {}

  record Taken(String by) {}

  record WhoHas(String seat) {}

  @Aggregate(context = "seats")
  record Seat(String by) {
    @CommandHandler
    static Taken take(Take command) {
      return new Taken("Ada");
    }

    @EventSourcingHandler
    static Seat taken(Taken event) {
      return new Seat(event.by());
    }
  }

  @Entity
  @Table(name = "seat")
  public static class SeatRow {
    @Id String id;
    String owner;
    int times;

    protected SeatRow() {}

    SeatRow(String id) {
      this.id = id;
    }
  }

  /** Counts how often a seat was taken: twice for an event that is handled twice. */
  @Projector(name = "seats", context = "seats")
  static class Seats {
    private final EntityManagerFactory factory;

    Seats(EntityManagerFactory factory) {
      this.factory = factory;
    }

    private final Map<Transaction, EntityManager> byTransaction = new HashMap<>();

    /** One for each transaction, as a container injects it; it is flushed at the commit. */
    private EntityManager rows() throws SystemException {
      return byTransaction.computeIfAbsent(
          com.arjuna.ats.jta.TransactionManager.transactionManager().getTransaction(),
          transaction -> factory.createEntityManager(SynchronizationType.SYNCHRONIZED));
    }

    @EventHandler
    void on(Taken event, EventMetadata of) throws SystemException {
      var rows = rows();
      var row = rows.find(SeatRow.class, of.aggregateId());
      if (row == null) {
        row = new SeatRow(of.aggregateId());
        rows.persist(row);
      }
      row.owner = event.by();
      row.times++;
    }

    @QueryHandler
    String find(WhoHas query) {
      var rows = factory.createEntityManager();
      try {
        var row = rows.find(SeatRow.class, query.seat());
        return row == null ? null : row.owner + " " + row.times;
      } finally {
        rows.close();
      }
    }
  }

  /** How EclipseLink finds the transactions where there is no server. */
  public static final class Platform extends ServerPlatformBase {
    public Platform(DatabaseSession session) {
      super(session);
    }

    @Override
    public Class<? extends org.eclipse.persistence.sessions.ExternalTransactionController>
        getExternalTransactionControllerClass() {
      return Controller.class;
    }
  }

  /** The same. */
  public static final class Controller extends JTATransactionController {
    @Override
    protected TransactionManager acquireTransactionManager() {
      return com.arjuna.ats.jta.TransactionManager.transactionManager();
    }
  }

  private AgroalDataSource pool;
  private EntityManagerFactory factory;
  private JtaTransactions transactions;

  @BeforeEach
  void open() throws SQLException {
    var registry =
        new com.arjuna.ats.internal.jta.transaction.arjunacore
            .TransactionSynchronizationRegistryImple();
    var manager = com.arjuna.ats.jta.TransactionManager.transactionManager();
    jtaPropertyManager.getJTAEnvironmentBean().setTransactionManager(manager);
    pool =
        AgroalDataSource.from(
            new AgroalDataSourceConfigurationSupplier()
                .connectionPoolConfiguration(
                    connections ->
                        connections
                            .maxSize(4)
                            .transactionIntegration(
                                new NarayanaTransactionIntegration(manager, registry))
                            .connectionFactoryConfiguration(
                                made ->
                                    made.jdbcUrl(PostgresFixture.shared().empty().url())
                                        .principal(new NamePrincipal("postgres")))));
    try (var connection = pool.getConnection();
        var create = connection.createStatement()) {
      create.execute("create table seat (id text primary key, owner text not null, times int)");
    }
    factory =
        Persistence.createEntityManagerFactory(
            "seats",
            Map.of(
                "jakarta.persistence.jtaDataSource",
                pool,
                "eclipselink.target-server",
                Platform.class.getName()));
    transactions = new JtaTransactions(com.arjuna.ats.jta.UserTransaction::userTransaction, pool);
  }

  @AfterEach
  void close() {
    factory.close();
    pool.close();
  }

  @Test
  void each_event_is_in_the_rows_once() {
    ProjectorFixture.of(new Seats(factory), (DataSource) pool, transactions)
        .given(Seat.class, "a", new Taken("Ada"), new Taken("Bob"))
        .thenAnswers(new WhoHas("a"), "Bob 2");
  }

  @Test
  void rows_that_the_database_refuses_at_the_commit_fail_the_events_and_leave_nothing() {
    var seats = ProjectorFixture.of(new Seats(factory), (DataSource) pool, transactions);
    assertThatThrownBy(() -> seats.given(Seat.class, "a", new Taken(null)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("null value in column \"owner\"");
    seats.thenAnswers(new WhoHas("a"), null);
  }
}
