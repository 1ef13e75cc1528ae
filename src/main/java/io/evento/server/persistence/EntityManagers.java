package io.evento.server.persistence;

import io.evento.server.NodeScoped;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.Persistence;
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

  /** Reads; what is returned must not need the entity manager any more. */
  public <T> T read(Function<EntityManager, T> work) {
    var manager = factory().createEntityManager();
    try {
      return work.apply(manager);
    } finally {
      manager.close();
    }
  }

  /** Runs one transaction; rolled back if the work throws. */
  public <T> T transact(Function<EntityManager, T> work) {
    var manager = factory().createEntityManager();
    try {
      manager.getTransaction().begin();
      var result = work.apply(manager);
      manager.getTransaction().commit();
      return result;
    } finally {
      if (manager.getTransaction().isActive()) {
        manager.getTransaction().rollback();
      }
      manager.close();
    }
  }

  @PreDestroy
  public synchronized void close() {
    if (factory != null) {
      factory.close();
    }
  }
}
