package io.evento.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Projector;
import io.evento.bundle.gateway.CommandGateway;
import io.evento.bundle.gateway.QueryGateway;
import io.evento.spring.bad.Idle;
import io.evento.spring.good.Doors;
import io.evento.spring.good.Doors.CountOpened;
import io.evento.spring.good.Doors.Counts;
import io.evento.spring.good.Doors.Door;
import io.evento.spring.good.Doors.Open;
import io.evento.spring.good.Doors.Opened;
import io.evento.testing.PostgresFixture;
import io.evento.testkit.ProjectorFixture;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.postgresql.Driver;
import org.springframework.boot.actuate.health.HealthIndicator;
import org.springframework.boot.actuate.health.Status;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.SimpleDriverDataSource;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** The starter in a Spring context, without a cluster and with a real database. */
class EventoAutoConfigurationTest {
  private final ApplicationContextRunner application =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(
                  EventoAutoConfiguration.class,
                  EventoHealthAutoConfiguration.class,
                  DataSourceAutoConfiguration.class,
                  DataSourceTransactionManagerAutoConfiguration.class,
                  JdbcTemplateAutoConfiguration.class))
          .withPropertyValues(
              "spring.application.name=doors",
              "evento.servers=ws://127.0.0.1:9/evento",
              "spring.datasource.username=postgres",
              "spring.datasource.type=org.springframework.jdbc.datasource.SimpleDriverDataSource",
              "spring.datasource.url=" + PostgresFixture.shared().empty().url());

  @Test
  void components_are_found_and_gateways_are_offered() {
    application
        .withUserConfiguration(Doors.class)
        .run(
            context -> {
              assertThat(context).hasNotFailed();
              assertThat(context).hasSingleBean(Counts.class);
              assertThat(context.getBean(ComponentScan.States.class).classes())
                  .containsExactly(Door.class);
              assertThat(context).hasSingleBean(CommandGateway.class);
              assertThat(context).hasSingleBean(QueryGateway.class);
              assertThat(context.getBean(BundleLifecycle.class).isRunning()).isTrue();
            });
  }

  @Test
  void health_tells_of_each_address_why_nothing_is_there() {
    application
        .withUserConfiguration(Doors.class)
        .run(
            context -> {
              var health = context.getBean(HealthIndicator.class).health();
              assertThat(health.getStatus()).isEqualTo(Status.DOWN);
              assertThat(String.valueOf(health.getDetails().get("nodes")))
                  .contains("ws://127.0.0.1:9/evento: ");
            });
  }

  @Test
  void a_component_that_cannot_work_ends_the_start() {
    application
        .withUserConfiguration(Idle.class)
        .run(
            context ->
                assertThat(context)
                    .hasFailed()
                    .getFailure()
                    .hasStackTraceContaining(
                        "Nothing has no @CommandHandler: give it one, or do not register it"));
  }

  @Test
  void what_is_missing_is_named() {
    application
        .withUserConfiguration(Doors.class)
        .withPropertyValues("evento.servers=")
        .run(
            context ->
                assertThat(context)
                    .getFailure()
                    .hasStackTraceContaining("set evento.servers to the addresses of the cluster"));
    application
        .withUserConfiguration(Doors.class)
        .withPropertyValues("spring.application.name=")
        .run(
            context ->
                assertThat(context)
                    .getFailure()
                    .hasStackTraceContaining("set evento.bundle, or spring.application.name"));
  }

  @Test
  void a_bundle_that_is_not_enabled_is_not_started_and_says_so() {
    application
        .withUserConfiguration(Doors.class)
        .withPropertyValues("evento.enabled=false", "evento.servers=")
        .run(
            context -> {
              assertThat(context).hasNotFailed();
              assertThat(context).doesNotHaveBean(HealthIndicator.class);
              var commands = context.getBean(CommandGateway.class);
              assertThatThrownBy(() -> commands.send(new Open("a")))
                  .hasMessage("the bundle is not started, as evento.enabled is false");
            });
  }

  /** Each batch comes twice, the first time without its commit. */
  @Test
  void rows_and_checkpoint_are_one_transaction_of_the_application() {
    application
        .withUserConfiguration(Doors.class)
        .run(
            context -> {
              var database = context.getBean(DataSource.class);
              var manager = context.getBean(PlatformTransactionManager.class);
              ProjectorFixture.of(
                      context.getBean(Counts.class),
                      database,
                      new SpringTransactions(manager, database))
                  .given(Door.class, "front", new Opened(1), new Opened(2))
                  .thenAnswers(new CountOpened("front"), 2);
            });
  }

  @Test
  void a_manager_of_another_data_source_is_refused_before_anything_is_done() {
    application
        .withUserConfiguration(Doors.class)
        .run(
            context -> {
              var database = context.getBean(DataSource.class);
              var elsewhere =
                  new SimpleDriverDataSource(
                      new Driver(), PostgresFixture.shared().empty().url(), "postgres", "");
              var other = new DataSourceTransactionManager(elsewhere);
              var transactions = new SpringTransactions(other, database);
              assertThatThrownBy(
                      () ->
                          transactions.inTransaction(
                              connection -> {
                                throw new AssertionError("called");
                              }))
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("has no transaction of the data source");
            });
  }

  @Projector(name = "apart", context = "doors")
  static class Apart {
    @EventHandler
    @Transactional(propagation = Propagation.REQUIRES_NEW)
    void on(Opened event) {}
  }

  @Projector(name = "all-apart", context = "doors")
  @Transactional(propagation = Propagation.NOT_SUPPORTED)
  static class AllApart {
    @EventHandler
    void on(Opened event) {}
  }

  @Projector(name = "sending", context = "doors")
  static class Sending {
    @EventHandler
    @Transactional(propagation = Propagation.NOT_SUPPORTED)
    CompletionStage<Void> on(Opened event) {
      return CompletableFuture.completedFuture(null);
    }
  }

  @Projector(name = "elsewhere", context = "doors")
  static class Elsewhere {
    @EventHandler
    @Transactional("anotherManager")
    void on(Opened event) {}
  }

  @Test
  void a_projector_outside_of_transactions_may_say_so_and_one_of_another_manager_is_refused() {
    application
        .withUserConfiguration(Doors.class, Sending.class)
        .run(context -> assertThat(context).hasNotFailed());
    application
        .withUserConfiguration(Doors.class, Elsewhere.class)
        .run(
            context ->
                assertThat(context)
                    .hasFailed()
                    .getFailure()
                    .rootCause()
                    .hasMessageStartingWith("Elsewhere.on names the transaction manager"));
  }

  @Test
  void a_projector_whose_rows_would_not_be_in_the_transaction_of_the_checkpoint_ends_the_start() {
    for (var projector : List.of(Apart.class, AllApart.class)) {
      application
          .withUserConfiguration(Doors.class, projector)
          .run(
              context ->
                  assertThat(context)
                      .hasFailed()
                      .getFailure()
                      .rootCause()
                      .isInstanceOf(InvalidBundleException.class)
                      .hasMessageStartingWith(projector.getSimpleName() + ".on is transactional")
                      .hasMessageEndingWith("put what must be apart into a bean of its own"));
    }
    application
        .withUserConfiguration(Doors.class, Apart.class)
        .withPropertyValues("evento.transactions=false")
        .run(context -> assertThat(context).hasNotFailed());
  }
}
