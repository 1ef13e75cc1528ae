package io.evento.spring.test;

import io.evento.spring.SpringTransactions;
import io.evento.testkit.AggregateFixture;
import io.evento.testkit.BoundaryFixture;
import io.evento.testkit.ObserverFixture;
import io.evento.testkit.ProjectorFixture;
import io.evento.testkit.SagaFixture;
import javax.sql.DataSource;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.transaction.PlatformTransactionManager;

/** The fixtures of the test kit, over the components of an application. */
public final class EventoFixtures {
  private final ListableBeanFactory beans;
  private final ObjectProvider<DataSource> database;
  private final ObjectProvider<PlatformTransactionManager> manager;

  EventoFixtures(
      ListableBeanFactory beans,
      ObjectProvider<DataSource> database,
      ObjectProvider<PlatformTransactionManager> manager) {
    this.beans = beans;
    this.database = database;
    this.manager = manager;
  }

  /** An aggregate, which needs no container. */
  public <S extends Record> AggregateFixture<S> aggregate(Class<S> aggregate) {
    return AggregateFixture.of(aggregate);
  }

  /** A boundary, which needs no container. */
  public <S extends Record> BoundaryFixture<S> boundary(Class<S> boundary) {
    return BoundaryFixture.of(boundary);
  }

  /** A saga. */
  public SagaFixture saga(Class<?> saga) {
    return SagaFixture.of(beans.getBean(saga));
  }

  /** An observer. */
  public ObserverFixture observer(Class<?> observer) {
    return ObserverFixture.of(beans.getBean(observer));
  }

  /**
   * A projector, in the transactions of the application where it has a database.
   *
   * @param projections that answer from its read model
   */
  public ProjectorFixture projector(Class<?> projector, Class<?>... projections) {
    var others = new Object[projections.length];
    for (var i = 0; i < others.length; i++) {
      others[i] = beans.getBean(projections[i]);
    }
    var own = beans.getBean(projector);
    var pool = database.getIfUnique();
    if (pool == null) {
      return ProjectorFixture.withoutDatabase(own, others);
    }
    var transactions = manager.getIfUnique();
    return transactions == null
        ? ProjectorFixture.of(own, pool, others)
        : ProjectorFixture.of(own, pool, new SpringTransactions(transactions, pool), others);
  }
}
