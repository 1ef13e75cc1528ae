package io.evento.server.persistence;

import io.evento.server.NodeScoped;
import io.evento.server.RequestCorrelation;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.Persistence;
import java.sql.SQLException;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Entity managers for pages and administration; hot paths use SQL on the same tables. The factory
 * is made at first use, which is after the migrations.
 */
@NodeScoped
public class EntityManagers {
  private final Database database;
  private @Nullable EntityManagerFactory factory;

  @Inject
  public EntityManagers(Database database) {
    this.database = database;
  }

  private synchronized EntityManagerFactory factory() {
    if (factory == null) {
      factory =
          Persistence.createEntityManagerFactory(
              "evento", Map.of("jakarta.persistence.nonJtaDataSource", database.pool()));
    }
    return factory;
  }

  /**
   * Reads; what is returned must not need the entity manager any more.
   *
   * @throws UncheckedSqlException if the database refused or does not answer
   */
  public <T> T read(Function<EntityManager, T> work) {
    return managed("read rows", work);
  }

  /**
   * Runs one transaction, which has a row of the audit as those of {@link Database#audited}; rolled
   * back if the work throws.
   *
   * @throws UncheckedSqlException if the database refused or does not answer
   */
  public <T> T audited(Function<EntityManager, T> work) {
    return managed(
        "change rows",
        manager -> {
          try {
            manager.getTransaction().begin();
            var correlation = RequestCorrelation.present();
            if (correlation != null) {
              manager
                  .createNativeQuery(Database.CORRELATE)
                  .setParameter(1, correlation)
                  .getSingleResult();
            }
            var result = work.apply(manager);
            manager.getTransaction().commit();
            return result;
          } finally {
            if (manager.getTransaction().isActive()) {
              manager.getTransaction().rollback();
            }
          }
        });
  }

  private <T> T managed(String what, Function<EntityManager, T> work) {
    try {
      var manager = factory().createEntityManager();
      try {
        return work.apply(manager);
      } finally {
        manager.close();
      }
    } catch (RuntimeException failure) {
      for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
        if (cause instanceof SQLException sql) {
          throw new UncheckedSqlException(what, sql);
        }
      }
      throw failure;
    }
  }

  @PreDestroy
  public synchronized void close() {
    if (factory != null) {
      factory.close();
    }
  }
}
