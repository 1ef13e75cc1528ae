package io.evento.bundle;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.Service;
import io.evento.bundle.container.ComponentFactory;
import io.evento.protocol.CommandMessage.Command;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.Json;
import io.evento.protocol.ReplyMessage.Fault;
import io.evento.protocol.ReplyMessage.Result;
import io.evento.protocol.Tip;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A bundle that lives in a container, over real WebSockets to a scripted node. */
@NullUnmarked
class ContainerTest {
  record Greet(String whom) {}

  record Later(String whom) {}

  record Open(@AggregateId String door) {}

  record Opened(int times) {}

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

  /** Says who it is and which class loader it finds. */
  @Service
  static class Greeter {
    @CommandHandler
    String greet(Greet command) {
      return prefix() + command.whom() + " by " + loader();
    }

    @CommandHandler
    CompletionStage<String> later(Later command) {
      return CompletableFuture.supplyAsync(() -> "later by " + loader());
    }

    String prefix() {
      return "plain ";
    }

    static String loader() {
      return String.valueOf(Thread.currentThread().getContextClassLoader());
    }
  }

  /** As a container derives a class to stand before its instances. */
  static class Greeter$Proxy extends Greeter {
    @Override
    String greet(Greet command) {
      return "proxied " + super.greet(command);
    }
  }

  static class PoliteGreeter extends Greeter {
    @Override
    @CommandHandler
    String greet(Greet command) {
      return "dear " + command.whom();
    }
  }

  @Service
  static class Secretive {
    @CommandHandler
    private String greet(Greet command) {
      return command.whom();
    }
  }

  static class Secretive$Proxy extends Secretive {}

  @Projector(name = "doors", context = "default")
  static class Doors {
    @EventHandler
    void on(Opened event) {}
  }

  /** A loader that can be told from others. */
  private static final class OfApplication extends URLClassLoader {
    OfApplication() {
      super(new URL[0], ContainerTest.class.getClassLoader());
    }

    @Override
    public String toString() {
      return "the application";
    }
  }

  private final List<AutoCloseable> open = new ArrayList<>();
  private final ScriptedNode node = new ScriptedNode("a");

  @AfterEach
  void close_all() throws Exception {
    for (var i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
    node.close();
  }

  private EventoBundle start(UnaryOperator<EventoBundle.Builder> more) {
    var bundle = more.apply(EventoBundle.named("contained").connect(node.url())).start();
    open.add(bundle);
    return bundle;
  }

  private String asked(String type, String payload) {
    var id = UUID.randomUUID();
    node.tell(new Command(id, type, null, 5_000, null, null, null, null, new Json(payload)));
    await()
        .atMost(ofSeconds(5))
        .until(() -> node.received(Result.class).stream().anyMatch(told -> told.id().equals(id)));
    return node.received(Result.class).stream()
        .filter(told -> told.id().equals(id))
        .map(told -> told.payload().text())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void a_proxy_is_the_component_that_its_class_is_derived_from() {
    start(builder -> builder.register(new Greeter$Proxy()));

    assertThat(asked("Greet", "{\"whom\":\"Ada\"}")).startsWith("\"proxied plain Ada");
  }

  @Test
  void a_method_that_a_proxy_cannot_stand_before_is_refused() {
    assertThatThrownBy(() -> start(builder -> builder.register(new Secretive$Proxy())))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessage(
            "Secretive.greet is called through a proxy of its container, which a private method"
                + " passes by: make it neither private nor final");
  }

  @Test
  void a_handler_of_a_class_that_is_derived_from_a_component_is_refused_and_not_forgotten() {
    assertThatThrownBy(() -> start(builder -> builder.register(new PoliteGreeter())))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessage(
            "PoliteGreeter.greet is a handler in a class that is derived from the component"
                + " Greeter: move it there, or annotate PoliteGreeter as the component");
  }

  @Test
  void instances_come_from_the_factory_and_go_back_to_it() {
    var taken = new AtomicInteger();
    var released = new CopyOnWriteArrayList<Object>();
    start(
        builder ->
            builder
                .register(Door.class, Greeter.class)
                .components(
                    new ComponentFactory() {
                      @Override
                      public Object instance(Class<?> component) {
                        taken.incrementAndGet();
                        return new Greeter();
                      }

                      @Override
                      public void release(Class<?> component, Object instance) {
                        released.add(instance);
                      }
                    }));

    asked("Greet", "{\"whom\":\"Ada\"}");
    asked("Greet", "{\"whom\":\"Bob\"}");

    assertThat(taken).hasValue(2);
    assertThat(released).hasSize(2).doesNotHaveDuplicates();
  }

  @Test
  void a_class_with_its_own_supplier_needs_no_factory() {
    start(builder -> builder.register(Greeter.class, Greeter$Proxy::new));

    assertThat(asked("Greet", "{\"whom\":\"Ada\"}")).startsWith("\"proxied plain Ada");
  }

  @Test
  void a_class_without_any_instance_is_still_refused() {
    assertThatThrownBy(() -> start(builder -> builder.register(Greeter.class)))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessage("register an instance, new Greeter(…), instead of the class");
  }

  @Test
  void handlers_have_the_class_loader_that_the_bundle_was_started_with() throws Exception {
    var thread = Thread.currentThread();
    var former = thread.getContextClassLoader();
    try (var application = new OfApplication()) {
      thread.setContextClassLoader(application);
      start(builder -> builder.register(new Greeter()));
      thread.setContextClassLoader(former);

      assertThat(asked("Greet", "{\"whom\":\"Ada\"}")).endsWith("by the application\"");
    } finally {
      thread.setContextClassLoader(former);
    }
  }

  @Test
  void handlers_run_on_the_threads_of_the_container() {
    var made = new CopyOnWriteArrayList<Thread>();
    start(
        builder ->
            builder
                .register(new Greeter())
                .threads(
                    task -> {
                      var thread = new Thread(task, "of-the-container");
                      thread.setDaemon(true);
                      made.add(thread);
                      return thread;
                    })
                .around((call, next) -> next.call() + " on " + Thread.currentThread().getName()));

    assertThat(asked("Greet", "{\"whom\":\"Ada\"}")).endsWith(" on of-the-container\"");
    assertThat(made).isNotEmpty();
  }

  @Test
  void interceptors_stand_around_each_handler_outermost_first() {
    var heard = new CopyOnWriteArrayList<String>();
    start(
        builder ->
            builder
                .register(Door.class, new Greeter())
                .around(
                    (call, next) -> {
                      heard.add("outer of " + call.name());
                      return next.call();
                    })
                .around(
                    (call, next) -> {
                      heard.add("inner of " + call.name() + " with " + call.payload());
                      return next.call();
                    }));

    asked("Greet", "{\"whom\":\"Ada\"}");
    var id = UUID.randomUUID();
    node.tell(decide(id));
    await().atMost(ofSeconds(5)).until(() -> !node.received(Decided.class).isEmpty());

    assertThat(heard)
        .containsExactly(
            "outer of Greeter.greet",
            "inner of Greeter.greet with Greet[whom=Ada]",
            "outer of Door.open",
            "inner of Door.open with Open[door=a]");
  }

  private static Decide decide(UUID id) {
    var stream = new DecideMessage.Aggregate("Door", "a");
    var payload = new Json("{\"door\":\"a\"}");
    return new Decide(id, "Open", 7, stream, Tip.EMPTY, null, false, 5_000, null, null, payload);
  }

  @Test
  void what_an_interceptor_throws_is_a_failure_of_the_handler() {
    start(
        builder ->
            builder
                .register(new Greeter())
                .around(
                    (call, next) -> {
                      throw new IllegalStateException("no scope");
                    }));
    var id = UUID.randomUUID();
    node.tell(
        new Command(
            id, "Greet", null, 5_000, null, null, null, null, new Json("{\"whom\":\"A\"}")));

    await()
        .atMost(ofSeconds(5))
        .untilAsserted(
            () ->
                assertThat(node.received(Fault.class))
                    .anySatisfy(fault -> assertThat(fault.detail()).contains("no scope")));
  }

  @Test
  void settings_come_from_any_source() {
    var settings = Map.of("evento.servers", " " + node.url() + " ,");
    var bundle =
        EventoBundle.named("contained")
            .settings(key -> Optional.ofNullable(settings.get(key)))
            .register(new Greeter())
            .start();
    open.add(bundle);

    assertThat(bundle.readiness().isReady()).isTrue();
    assertThat(bundle.readiness().addresses()).containsExactly(node.url() + ": connected to a");
    assertThatThrownBy(() -> EventoBundle.named("contained").settings(key -> Optional.empty()))
        .hasMessageStartingWith("set evento.servers to the addresses of the cluster");
  }

  @Test
  void a_bundle_that_need_not_wait_says_why_it_is_not_ready() {
    var bundle =
        EventoBundle.named("contained")
            .connect(node.url().replace("/evento", "/elsewhere"))
            .waitForNode(Duration.ZERO)
            .register(new Greeter())
            .start();
    open.add(bundle);

    assertThat(bundle.readiness().isReady()).isFalse();
    await()
        .atMost(ofSeconds(5))
        .untilAsserted(
            () ->
                assertThat(bundle.readiness().addresses().get(0))
                    .endsWith(
                        "/elsewhere: HTTP 404 to the upgrade: is the path missing, such as"
                            + " /evento?"));
  }

  @Test
  void transactions_without_a_database_are_refused() {
    assertThatThrownBy(
            () ->
                start(
                    builder ->
                        builder
                            .register(new Doors())
                            .transactions(
                                new io.evento.bundle.container.Transactions() {
                                  @Override
                                  public <T> T inTransaction(Work<T> work) {
                                    throw new IllegalStateException();
                                  }
                                })))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessage("the transactions are of no database: say which with jdbc(dataSource)");
  }

  @Test
  void check_finds_what_is_wrong_and_connects_to_nothing() {
    assertThatThrownBy(
            () ->
                EventoBundle.named("contained")
                    .connect(node.url())
                    .register(new Secretive$Proxy())
                    .check())
        .isInstanceOf(InvalidBundleException.class);
    EventoBundle.named("contained").connect(node.url()).register(new Greeter()).check();
    assertThat(node.sessions()).isZero();
  }
}
