package io.evento.server.gateway.websocket;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.gateway.CommandOptions;
import io.evento.bundle.gateway.QueryOptions;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Receipt;
import io.evento.protocol.vm.VmDoors;
import io.evento.server.cluster.Links;
import io.evento.server.config.ServerConfig;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.fixture.TestGrants;
import io.evento.server.gateway.WholeNode;
import io.evento.server.routing.session.Sessions;
import io.evento.server.security.AuditLog;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.server.security.OpenMode;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A bundle of the SDK and a node on a real database, in one JVM and without a socket. */
@NullUnmarked
class VmDoorTest {
  record Put(@AggregateId String jar, int coins) {}

  record PutIn(int coins) {}

  record Count(String jar) {}

  @Aggregate(context = "jars")
  record Jar(int coins) {
    @CommandHandler
    static PutIn put(Put command, Jar now) {
      return new PutIn(command.coins());
    }

    @EventSourcingHandler
    static Jar put(PutIn event, Jar before) {
      return new Jar(event.coins());
    }
  }

  @Projector(name = "jars", version = 1, context = "jars")
  static class Jars {
    private final Map<String, Set<Long>> puts = new ConcurrentHashMap<>();
    private final Map<String, Integer> threads = new ConcurrentHashMap<>();

    @EventHandler
    void on(PutIn event, EventMetadata at) {
      threads.merge(Thread.currentThread().getName(), 1, Integer::sum);
      puts.computeIfAbsent(at.aggregateId(), first -> ConcurrentHashMap.newKeySet())
          .add(at.position());
    }

    @QueryHandler
    int count(Count query) {
      threads.merge(Thread.currentThread().getName(), 1, Integer::sum);
      return puts.getOrDefault(query.jar(), Set.of()).size();
    }
  }

  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final Jars jars = new Jars();
  private TestDatabase where;

  @BeforeEach
  void make() {
    where = PostgresFixture.shared().migrated();
  }

  @AfterEach
  void close() throws Exception {
    while (!open.isEmpty()) {
      open.pop().close();
    }
    where.close();
  }

  private WholeNode node(String name) throws Exception {
    var node = WholeNode.start(where, name, Map.of(), Map.of(Grants.class, TestGrants.class));
    open.push(
        () -> {
          node.get(VmDoor.class).stop();
          node.get(Links.class).stop();
          node.close();
        });
    node.get(Links.class).start();
    node.get(OpenMode.class).look(List.of("ws://127.0.0.1:8080/evento"), false);
    node.get(VmDoor.class).start();
    return node;
  }

  private EventoBundle bundle(String... addresses) {
    var bundle = EventoBundle.named("piggy").connect(addresses).register(Jar.class, jars).start();
    open.push(bundle);
    return bundle;
  }

  private static CommandOptions patient() {
    return CommandOptions.options().within(ofSeconds(20));
  }

  @Test
  void commands_events_and_queries_go_over_the_link_and_no_handler_runs_on_a_thread_of_the_node()
      throws Exception {
    var node = node("a");
    var bundle = bundle("vm:");

    Receipt last = null;
    for (var i = 0; i < 20; i++) {
      last = bundle.commands().send(new Put("j", i), patient());
    }

    assertThat(bundle.queries().ask(new Count("j"), Integer.class, QueryOptions.after(last)))
        .isEqualTo(20);
    assertThat(last.aggregate().version()).isEqualTo(20);
    assertThat(node.get(Sessions.class).all()).hasSize(1);
    assertThat(jars.threads.keySet()).noneMatch(name -> name.startsWith("evento-vm"));
  }

  @Test
  void a_flood_is_answered_to_the_last_and_each_command_is_stored_once() throws Exception {
    node("a");
    var bundle = bundle("vm:");
    var all = new ArrayList<CompletableFuture<Receipt>>();
    for (var i = 0; i < 6_000; i++) {
      all.add(
          bundle
              .commands()
              .sendAsync(new Put("j" + i % 50, i), CommandOptions.options().within(ofSeconds(60)))
              .toCompletableFuture());
    }
    CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get(90, TimeUnit.SECONDS);

    await()
        .atMost(ofSeconds(30))
        .until(() -> jars.puts.values().stream().mapToInt(Set::size).sum() == 6_000);
    assertThat(all.stream().map(one -> one.join().position()).distinct()).hasSize(6_000);
  }

  @Test
  void when_its_node_is_undeployed_the_bundle_goes_on_at_another_and_nothing_happens_twice()
      throws Exception {
    var first = node("a");
    var second = node("b");
    var bundle = bundle("vm:a", "vm:b");
    await()
        .atMost(ofSeconds(10))
        .until(
            () ->
                first.get(Sessions.class).all().size() == 1
                    && second.get(Sessions.class).all().size() == 1);
    var sent = new ArrayList<CompletableFuture<Receipt>>();
    for (var i = 0; i < 600; i++) {
      sent.add(
          bundle
              .commands()
              .sendAsync(new Put("j" + i % 20, i), CommandOptions.options().within(ofSeconds(40)))
              .toCompletableFuture());
      if (i == 300) {
        first.get(VmDoor.class).stop();
        await("its sessions end with it")
            .atMost(ofSeconds(1))
            .until(() -> first.get(Sessions.class).all().isEmpty());
      }
    }
    CompletableFuture.allOf(sent.toArray(CompletableFuture[]::new)).get(60, TimeUnit.SECONDS);

    assertThat(first.get(Sessions.class).all()).isEmpty();
    assertThat(sent.stream().map(one -> one.join().position()).distinct()).hasSize(600);
    assertThat(stored()).as("each command once").isEqualTo(600);
    await()
        .atMost(ofSeconds(30))
        .until(() -> jars.puts.values().stream().mapToInt(Set::size).sum() == 600);
    assertThat(VmDoors.find()).extracting(VmDoors.Door::node).containsExactly("b");
  }

  private int stored() throws SQLException {
    try (var admin = where.asAdmin();
        var select = admin.createStatement();
        var row = select.executeQuery("select count(*) from evento.event")) {
      row.next();
      return row.getInt(1);
    }
  }

  @Test
  void a_bundle_that_goes_is_gone_at_the_node() throws Exception {
    var node = node("a");
    var bundle = bundle("vm:");
    assertThat(node.get(Sessions.class).all()).hasSize(1);

    bundle.close();

    await().atMost(ofSeconds(5)).until(() -> node.get(Sessions.class).all().isEmpty());
  }

  @Test
  void who_was_told_to_go_is_parted_with_at_once_when_the_node_serves_again() throws Exception {
    var node = node("a");
    bundle("vm:");
    var first = node.get(Sessions.class).all().get(0);
    node.get(BundleLinks.class).drain();

    node.get(BundleLinks.class).undrain();

    await().atMost(ofSeconds(1)).until(() -> !node.get(Sessions.class).all().contains(first));
  }

  @Test
  void a_node_that_was_undeployed_before_it_was_up_shows_no_door() throws Exception {
    var node = node("a");
    node.get(VmDoor.class).stop();

    node.get(VmDoor.class).start();

    assertThat(VmDoors.find()).isEmpty();
  }

  @Test
  void where_access_is_on_a_bundle_needs_its_token_here_too() throws Exception {
    var node = node("a");
    node.get(VmDoor.class).stop();
    var standard = NodeConfig.of(where, "guarded");
    var config =
        new ServerConfig(
            standard.node(),
            standard.database(),
            standard.link(),
            standard.http(),
            standard.webSocket(),
            ServerConfig.Security.ON);
    var known = Bank.bundle("piggy", Bank.host("jars", "*"), Bank.send("jars", "*"));
    var guarded =
        new VmDoor(
            node.get(BundleLinks.class),
            new OpenMode(config),
            new OneToken(node, known),
            node.get(AuditLog.class),
            config,
            node.get(Links.class),
            node.threads);
    guarded.start();
    open.push(guarded::stop);

    for (var wrong : List.of("", "evt_wrong")) {
      var builder = EventoBundle.named("piggy").connect("vm:").register(Jar.class);
      if (!wrong.isEmpty()) {
        builder.token(wrong);
      }
      try (var refused = builder.waitForNode(ofMillis(500)).start()) {
        assertThat(refused.readiness().addresses().toString()).contains("answered 401");
        assertThatThrownBy(
                () ->
                    refused
                        .commands()
                        .send(new Put("j", 1), CommandOptions.options().within(ofMillis(200))))
            .isInstanceOf(EventoException.class);
      }
    }
    assertThat(node.get(Sessions.class).all()).isEmpty();
    try (var let =
        EventoBundle.named("piggy").connect("vm:").token("evt_right").register(Jar.class).start()) {
      assertThat(let.commands().send(new Put("j", 1), patient()).aggregate().version())
          .isEqualTo(1);
    }
    assertThatThrownBy(() -> EventoBundle.named("other").connect("vm:").token("evt_right").start())
        .hasMessageContaining("/bundle must be the bundle that the token is of");
  }

  private static final class OneToken extends Grants {
    private final Caller known;

    OneToken(WholeNode node, Caller known) {
      super(node.database, node.threads, node.get(OpenMode.class));
      this.known = known;
    }

    @Override
    public Caller authenticate(String token, String address) {
      if (token.equals("evt_right")) {
        return known;
      }
      throw new EventoException(ErrorCode.UNAUTHENTICATED, "the token is not valid");
    }
  }
}
