package io.evento.cdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.RewindHandler;
import io.evento.bundle.api.Rewound;
import io.evento.bundle.api.Service;
import io.evento.bundle.container.HandlerCall;
import io.evento.bundle.gateway.CommandGateway;
import io.evento.bundle.gateway.QueryGateway;
import io.evento.protocol.EventoException;
import io.evento.protocol.Rejection;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.context.ContextNotActiveException;
import jakarta.enterprise.context.Dependent;
import jakarta.enterprise.context.RequestScoped;
import jakarta.enterprise.context.SessionScoped;
import jakarta.enterprise.inject.se.SeContainer;
import jakarta.enterprise.inject.se.SeContainerInitializer;
import jakarta.enterprise.inject.spi.Bean;
import jakarta.inject.Inject;
import jakarta.transaction.Transactional;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The extension in a CDI container without a server. */
@NullUnmarked
class EventoExtensionTest {
  record Open(@AggregateId String door) {}

  record Opened(int times) {}

  record Greet(String whom) {}

  @Aggregate
  record Door(int times) {
    @CommandHandler
    static Opened open(Open command) {
      return new Opened(1);
    }

    @EventSourcingHandler
    static Door opened(Opened event) {
      return new Door(event.times());
    }
  }

  @RequestScoped
  static class Request {
    private static final AtomicInteger MADE = new AtomicInteger();
    private final int number = MADE.incrementAndGet();

    int number() {
      return number;
    }
  }

  @ApplicationScoped
  @Service
  static class Greeter {
    @Inject Request request;

    @CommandHandler
    String greet(Greet command) {
      return command.whom() + " in request " + request.number();
    }
  }

  @Dependent
  @Service
  static class Short {
    static final AtomicInteger ended = new AtomicInteger();

    @CommandHandler
    String greet(Greet command) {
      return command.whom();
    }

    @PreDestroy
    void end() {
      ended.incrementAndGet();
    }
  }

  @ApplicationScoped
  @Service
  static class Hidden {
    @CommandHandler
    private String greet(Greet command) {
      return command.whom();
    }
  }

  @ApplicationScoped
  @Service
  static class Idle {}

  @SessionScoped
  @Service
  static class OfSession implements Serializable {
    @CommandHandler
    String greet(Greet command) {
      return command.whom();
    }
  }

  @ApplicationScoped
  @Projector(name = "apart")
  static class Apart {
    @EventHandler
    @Transactional(Transactional.TxType.REQUIRES_NEW)
    void on(Opened event) {}
  }

  abstract static class HandlesApart {
    @EventHandler
    @Transactional(Transactional.TxType.REQUIRES_NEW)
    void on(Opened event) {}
  }

  @ApplicationScoped
  @Projector(name = "inherits-apart")
  static class InheritsApart extends HandlesApart {}

  @ApplicationScoped
  @Projector(name = "tells-apart")
  static class TellsApart {
    @EventHandler
    void on(Opened event) {}

    @RewindHandler
    @Transactional(Transactional.TxType.REQUIRES_NEW)
    void back(Rewound rewound) {}
  }

  @ApplicationScoped
  @Projector(name = "method-wins")
  @Transactional(Transactional.TxType.NOT_SUPPORTED)
  static class MethodWins {
    @EventHandler
    @Transactional
    void on(Opened event) {}
  }

  @ApplicationScoped
  @Projector(name = "sending")
  @Transactional(Transactional.TxType.NOT_SUPPORTED)
  static class Sending {
    @EventHandler
    CompletionStage<Void> on(Opened event) {
      return CompletableFuture.completedFuture(null);
    }
  }

  @BeforeEach
  void say_where_nodes_are() {
    System.setProperty("evento.bundle.name", "contained");
    System.setProperty("evento.bundle.threads", "own");
    System.setProperty("evento.servers", "ws://127.0.0.1:9/evento");
  }

  @AfterEach
  void forget() {
    for (var key : Set.copyOf(System.getProperties().stringPropertyNames())) {
      if (key.startsWith("evento.")) {
        System.clearProperty(key);
      }
    }
  }

  private static SeContainer container(Class<?>... classes) {
    return SeContainerInitializer.newInstance()
        .disableDiscovery()
        .addExtensions(EventoExtension.class)
        .addBeanClasses(classes)
        .initialize();
  }

  @Test
  void gateways_and_the_bundle_are_injected_and_the_bundle_ends_with_the_application() {
    EventoBundle bundle;
    try (var container = container(Door.class, Greeter.class, Request.class)) {
      assertThat(container.select(CommandGateway.class).get()).isNotNull();
      assertThat(container.select(QueryGateway.class).get()).isNotNull();
      bundle = container.select(EventoBundle.class).get();
      assertThat(bundle.readiness().isReady()).isFalse();
      assertThat(bundle.readiness().addresses().get(0)).startsWith("ws://127.0.0.1:9/evento: ");
    }
    assertThatThrownBy(() -> bundle.commands().send(new Greet("Ada")))
        .isInstanceOf(EventoException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void a_component_that_cannot_work_fails_the_deployment() {
    assertThatThrownBy(() -> container(Idle.class))
        .hasStackTraceContaining("Idle has no @CommandHandler: give it one, or do not register it");
    assertThatThrownBy(() -> container(Hidden.class))
        .hasStackTraceContaining(
            "Hidden.greet is called through a proxy of its container, which a private method passes"
                + " by: make it neither private nor final");
  }

  @Test
  void a_scope_of_callers_and_a_transaction_apart_fail_the_deployment() {
    assertThatThrownBy(() -> container(OfSession.class))
        .hasStackTraceContaining(
            "OfSession is @SessionScoped, and no handler is called within such a scope");
    container(Apart.class).close();
    System.setProperty("evento.bundle.datasource", "jdbc/none");
    System.clearProperty("evento.bundle.threads");
    for (var apart : List.of(Apart.class, InheritsApart.class, TellsApart.class)) {
      assertThatThrownBy(() -> ComponentRules.checkTransactions(apart))
          .isInstanceOf(InvalidBundleException.class)
          .hasMessageContaining("is @Transactional(REQUIRES_NEW), so its rows would not be in the");
    }
    assertThatThrownBy(() -> container(Apart.class))
        .hasStackTraceContaining(
            "Apart.on is @Transactional(REQUIRES_NEW), so its rows would not be in the transaction"
                + " of the checkpoint");
    ComponentRules.checkTransactions(MethodWins.class);
    ComponentRules.checkTransactions(Sending.class);
  }

  @Test
  void a_setting_that_is_missing_fails_the_deployment() {
    System.clearProperty("evento.servers");
    assertThatThrownBy(() -> container(Door.class))
        .hasStackTraceContaining("set evento.servers to the addresses of the cluster");
    System.clearProperty("evento.bundle.name");
    assertThatThrownBy(() -> container(Door.class))
        .hasStackTraceContaining("set evento.bundle.name to the name of this bundle");
    System.setProperty("evento.bundle.name", "contained");
    System.setProperty("evento.bundle.transactions", "xa");
    assertThatThrownBy(() -> container(Door.class))
        .hasStackTraceContaining("evento.bundle.transactions must be jta or jdbc, is xa");
    System.setProperty("evento.bundle.transactions", "jta");
    System.setProperty("evento.bundle.datasource", "jdbc/none");
    assertThatThrownBy(() -> container(Door.class))
        .hasStackTraceContaining("evento.bundle.threads must not be own while");
  }

  @Test
  void each_call_has_a_request_scope_of_its_own_and_none_is_left() throws Exception {
    try (var container = container(Greeter.class, Request.class)) {
      var scope = new RequestScope(container.getBeanManager());
      var greeter = container.select(Greeter.class).get();
      var call =
          new HandlerCall(
              Greeter.class, Greeter.class.getDeclaredMethod("greet", Greet.class), null, null);

      var first = scope.around(call, () -> greeter.greet(new Greet("Ada")));
      var second = scope.around(call, () -> greeter.greet(new Greet("Ada")));

      assertThat(first).isNotEqualTo(second);
      assertThatThrownBy(() -> greeter.greet(new Greet("Ada")))
          .isInstanceOf(ContextNotActiveException.class);
    }
  }

  @Test
  void a_dependent_bean_is_made_once_and_ends_with_the_application() {
    var before = Short.ended.get();
    try (var container = container(Short.class)) {
      var manager = container.getBeanManager();
      Map<Class<?>, Bean<?>> beans =
          manager.getBeans(Short.class).stream()
              .collect(Collectors.toMap(Bean::getBeanClass, bean -> bean));
      try (var instances = new BeanInstances(manager, beans)) {
        assertThat(instances.instance(Short.class)).isSameAs(instances.instance(Short.class));
        assertThat(Short.ended).hasValue(before);
      }
      assertThat(Short.ended).hasValue(before + 1);
    }
  }

  @Test
  void a_problem_says_what_the_cluster_said() {
    var refused = EventoException.rejected(new Rejection("not-enough-money", "", null), null);
    var told = ProblemMapper.body(refused);

    assertThat(told)
        .contains("\"type\":\"urn:evento:rejected\"")
        .contains("\"status\":422")
        .contains("not-enough-money")
        .doesNotContain("correlation");
  }

  @Test
  void an_invalid_bundle_is_named_as_such() {
    assertThatThrownBy(() -> container(Idle.class))
        .satisfies(
            thrown -> {
              Throwable root = thrown;
              while (root.getCause() != null) {
                root = root.getCause();
              }
              assertThat(root).isInstanceOf(InvalidBundleException.class);
            });
  }
}
