package io.evento.bundle;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.gateway.CommandOptions;
import io.evento.protocol.CommandMessage.Command;
import io.evento.protocol.DeclareMessage.Declare;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Message;
import io.evento.protocol.ReplyMessage.Result;
import io.evento.protocol.SessionMessage.Drain;
import io.evento.protocol.SessionMessage.Member;
import io.evento.protocol.SessionMessage.Members;
import java.io.File;
import java.lang.ref.WeakReference;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A bundle whose JVM has a node, or had one, or has one that is none of its own. */
class NodeHereTest {
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void close_all() throws Exception {
    for (var i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
  }

  private ScriptedNode keep(ScriptedNode node) {
    open.add(node);
    node.script = NodeHereTest::acknowledge;
    return node;
  }

  private static void acknowledge(ScriptedNode node, Message message) {
    if (message instanceof Command command) {
      node.tell(new Result(command.id(), null, null));
    }
  }

  private EventoBundle bundle(String... urls) {
    var bundle =
        EventoBundle.named("test").connect(urls).register(EventoBundleTest.Thing.class).start();
    open.add(bundle);
    return bundle;
  }

  private static Member member(ScriptedNode node) {
    return new Member(node.id, "ws://" + node.id + "/evento", "up", node.door().process);
  }

  private static boolean isReadyBy(EventoBundle bundle, String said) {
    return bundle.readiness().addresses().stream().anyMatch(line -> line.contains(said));
  }

  @Test
  void a_node_of_this_jvm_is_found_once_another_one_names_its_process() {
    var here = keep(new ScriptedNode("here", true));
    var there = keep(new ScriptedNode("there"));
    there.members = List.of(member(there), member(here));

    var bundle = bundle(there.url());

    await().atMost(ofSeconds(5)).until(() -> !here.received(Declare.class).isEmpty());
    await().atMost(ofSeconds(5)).until(() -> isLinked(bundle, "here"));
    assertThat(there.sessions()).isEqualTo(1);
  }

  @Test
  void a_node_of_another_cluster_is_left_alone_though_it_has_a_name_of_ours() {
    var stranger = keep(new ScriptedNode("a", true));
    var ours = keep(new ScriptedNode("a"));
    var older = keep(new ScriptedNode("b"));
    ours.members = List.of(member(ours), ScriptedNode.member("b"));
    older.members = ours.members;

    bundle(ours.url(), older.url()).commands().send(new EventoBundleTest.Make("t"));

    await()
        .during(ofSeconds(3))
        .atMost(ofSeconds(5))
        .until(() -> stranger.received.isEmpty() && stranger.door().tokens.isEmpty());
  }

  private static boolean isLinked(EventoBundle bundle, String node) {
    return isReadyBy(bundle, "vm: connected to " + node);
  }

  @Test
  void a_socket_to_the_node_of_this_jvm_is_given_up_for_the_link_and_taken_where_that_fails() {
    var node = keep(new ScriptedNode("here"));
    node.members = List.of(member(node));
    node.door().show();

    var bundle = bundle(node.url());

    assertThat(isLinked(bundle, "here")).isTrue();
    await().atMost(ofSeconds(5)).until(() -> node.sessions() == 1);
    assertThat(node.received(Declare.class)).as("nothing was declared by the socket").hasSize(1);

    node.door().refusal = 503;
    node.cut();
    await()
        .atMost(ofSeconds(10))
        .until(() -> isReadyBy(bundle, node.url() + ": connected") && bundle.isConnected());
    assertThat(isReadyBy(bundle, "vm: closed by the node code=503")).isTrue();
    bundle.commands().send(new EventoBundleTest.Make("t"));

    node.door().refusal = null;
    await().atMost(ofSeconds(10)).until(() -> isLinked(bundle, "here"));
    await("the socket is left").atMost(ofSeconds(5)).until(() -> node.sessions() == 1);
    assertThat(node.received(Declare.class)).hasSize(3);
    bundle.commands().send(new EventoBundleTest.Make("t"));
  }

  @Test
  void a_link_that_was_asked_for_is_made_however_many_sockets_there_are() {
    var one = keep(new ScriptedNode("one"));
    var two = keep(new ScriptedNode("two"));
    one.members = List.of(ScriptedNode.member("one"), ScriptedNode.member("two"));
    two.members = one.members;
    var bundle = bundle("vm:", one.url(), two.url());
    await()
        .atMost(ofSeconds(5))
        .until(
            () ->
                one.received(Declare.class).size() == 1 && two.received(Declare.class).size() == 1);

    keep(new ScriptedNode("here", true));

    await().atMost(ofSeconds(10)).until(() -> isLinked(bundle, "here"));
  }

  @Test
  void a_link_that_was_asked_for_takes_the_place_of_a_socket_to_its_node() {
    var node = keep(new ScriptedNode("here"));
    node.members = List.of(member(node));
    var bundle = bundle("vm:", node.url());
    assertThat(isReadyBy(bundle, node.url() + ": connected to here")).isTrue();
    assertThat(isLinked(bundle, "here")).as("it is a socket").isFalse();

    node.door().show();

    await().atMost(ofSeconds(10)).until(() -> isLinked(bundle, "here"));
    await("the socket is left").atMost(ofSeconds(5)).until(() -> node.sessions() == 1);
    assertThat(node.received(Declare.class)).hasSize(2);
  }

  @Test
  void of_two_nodes_of_the_cluster_in_this_jvm_one_is_linked() {
    var one = keep(new ScriptedNode("one", true));
    var two = keep(new ScriptedNode("two", true));
    var there = keep(new ScriptedNode("there"));
    there.members = List.of(member(one), member(there), member(two));
    one.members = there.members;
    two.members = there.members;

    var bundle = bundle(there.url());

    await().atMost(ofSeconds(5)).until(() -> isLinked(bundle, "one") || isLinked(bundle, "two"));
  }

  @Test
  void a_node_that_drains_is_not_asked_while_others_serve() {
    var here = keep(new ScriptedNode("here", true));
    var there = keep(new ScriptedNode("there"));
    there.members = List.of(member(there), member(here));
    here.members = there.members;
    var bundle = bundle(there.url());
    await().atMost(ofSeconds(5)).until(() -> isLinked(bundle, "here"));
    there.members =
        List.of(
            member(there), new Member("here", "ws://here/evento", "draining", here.door().process));
    there.tell(new Members(there.members));
    here.tell(new Members(there.members));
    here.tell(new Drain());
    await().atMost(ofSeconds(8)).until(() -> here.sessions() == 0);
    var tries = here.door().tokens.size();

    await()
        .during(ofSeconds(3))
        .atMost(ofSeconds(5))
        .until(() -> here.door().tokens.size() == tries);
    there.members = here.members;
    there.tell(new Members(List.of(member(there), member(here))));
    await().atMost(ofSeconds(8)).until(() -> isLinked(bundle, "here"));
  }

  @Test
  void a_node_of_an_older_release_does_not_have_the_process_forgotten() {
    var here = new ScriptedNode("here", true);
    open.add(here);
    here.door().hide.run();
    var there = keep(new ScriptedNode("there"));
    there.members = List.of(member(there), member(here));
    var bundle = bundle(there.url());
    there.tell(new Members(List.of(ScriptedNode.member("there"), ScriptedNode.member("here"))));

    here.door().show();

    await().atMost(ofSeconds(8)).until(() -> isLinked(bundle, "here"));
  }

  @Test
  void nodes_of_two_clusters_may_have_one_name() {
    var ours = keep(new ScriptedNode("here", true));
    var theirs = keep(new ScriptedNode("here", true));
    var there = keep(new ScriptedNode("there"));
    there.members = List.of(member(there), member(ours));
    ours.members = there.members;

    var bundle = bundle(there.url());

    await().atMost(ofSeconds(5)).until(() -> isLinked(bundle, "here"));
    assertThat(ours.sessions()).isEqualTo(1);
    assertThat(theirs.door().tokens).isEmpty();
  }

  @Test
  void commands_under_way_go_on_over_a_socket_when_the_node_of_this_jvm_is_undeployed() {
    var here = keep(new ScriptedNode("here", true));
    var there = keep(new ScriptedNode("there"));
    there.members = List.of(member(there), member(here));
    here.members = there.members;
    var bundle = bundle("vm:", there.url());
    await().atMost(ofSeconds(5)).until(() -> !here.received(Declare.class).isEmpty());
    await().atMost(ofSeconds(5)).until(() -> !there.received(Declare.class).isEmpty());
    here.script = (node, message) -> {};
    there.script = (node, message) -> {};
    var sent = new ArrayList<CompletableFuture<?>>();
    for (var i = 0; i < 200; i++) {
      sent.add(
          bundle
              .commands()
              .sendAsync(
                  new EventoBundleTest.Make("t" + i),
                  CommandOptions.options().within(ofSeconds(20)))
              .toCompletableFuture());
    }
    await().atMost(ofSeconds(5)).until(() -> !here.received(Command.class).isEmpty());
    there.script = NodeHereTest::acknowledge;
    there.received(Command.class).forEach(command -> acknowledge(there, command));

    here.door().hide();
    there.members = List.of(member(there));
    there.tell(new Members(there.members));

    assertThat(CompletableFuture.allOf(sent.toArray(CompletableFuture[]::new)))
        .succeedsWithin(15, TimeUnit.SECONDS);
    assertThat(there.received(Command.class).stream().map(Command::id).distinct()).hasSize(200);
    assertThat(bundle.isConnected()).isTrue();
  }

  @Test
  void who_is_not_let_in_is_told_so_as_over_a_socket() {
    var node = keep(new ScriptedNode("here", true));
    node.door().refusal = 401;

    var bundle =
        EventoBundle.named("test")
            .connect("vm:")
            .token("evt_wrong")
            .waitForNode(ofMillis(300))
            .start();
    open.add(bundle);

    assertThat(bundle.isConnected()).isFalse();
    assertThat(isReadyBy(bundle, "vm: the node of this JVM answered 401")).isTrue();
    assertThat(node.door().tokens).isNotEmpty().allMatch(it -> it.orElse("").equals("evt_wrong"));
  }

  @Test
  void a_node_that_never_answers_is_tried_again() {
    var node = keep(new ScriptedNode("here", true));
    node.door().refusal = 0;
    var bundle = EventoBundle.named("test").connect("vm:").waitForNode(ofMillis(1)).start();
    open.add(bundle);
    await().atMost(ofSeconds(2)).until(() -> node.door().tokens.size() == 1);

    node.door().refusal = null;

    await().atMost(ofSeconds(8)).until(bundle::isConnected);
  }

  @Test
  void without_a_node_a_command_ends_at_its_deadline_and_one_that_comes_later_is_used() {
    var bundle = EventoBundle.named("test").connect("vm:").waitForNode(ofMillis(100)).start();
    open.add(bundle);
    assertThat(isReadyBy(bundle, "no such node is up in this JVM")).isTrue();
    assertThatThrownBy(
            () ->
                bundle
                    .commands()
                    .send(
                        new EventoBundleTest.Make("t"),
                        CommandOptions.options().within(ofMillis(300))))
        .isInstanceOfSatisfying(
            EventoException.class,
            told ->
                assertThat(told.code()).isIn(ErrorCode.DEADLINE_EXCEEDED, ErrorCode.UNAVAILABLE));

    keep(new ScriptedNode("late", true));

    await().atMost(ofSeconds(8)).until(bundle::isConnected);
    bundle.commands().send(new EventoBundleTest.Make("t"));
  }

  @Test
  void of_several_nodes_one_has_to_be_named() {
    var one = keep(new ScriptedNode("one", true));
    keep(new ScriptedNode("two", true));
    var bundle = EventoBundle.named("test").connect("vm:").waitForNode(ofMillis(500)).start();
    open.add(bundle);
    assertThat(isReadyBy(bundle, "several nodes are up in this JVM: say which, such as vm:one"))
        .isTrue();

    assertThat(bundle("vm:two").isConnected()).isTrue();
    assertThat(one.received).isEmpty();
  }

  /** Runs in a class loader of its own, which shares the JDK alone with ours. */
  public static final class Guest implements Function<String, String>, AutoCloseable {
    private final EventoBundle bundle =
        EventoBundle.named("guest").connect("vm:").register(EventoBundleTest.Thing.class).start();

    @Override
    public String apply(String thing) {
      return bundle.commands().send(new EventoBundleTest.Make(thing)).commandId().toString();
    }

    @Override
    public void close() {
      bundle.close();
    }
  }

  /** A node in a class loader of its own. */
  public static final class Host implements AutoCloseable {
    private final ScriptedNode node = new ScriptedNode("host", true);

    public Host() {
      node.script = NodeHereTest::acknowledge;
    }

    @Override
    public void close() {
      node.close();
    }
  }

  private static URLClassLoader loader() {
    var urls =
        NodeHereTest.class.getClassLoader() instanceof URLClassLoader ours
            ? ours.getURLs()
            : Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(NodeHereTest::url)
                .toArray(URL[]::new);
    return new URLClassLoader(urls, ClassLoader.getPlatformClassLoader());
  }

  private static URL url(String path) {
    try {
      return new File(path).toURI().toURL();
    } catch (MalformedURLException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /** On a thread that ends: what libraries keep by thread must not keep their loader for a test. */
  private static <T> T apart(ClassLoader loader, Callable<T> task) throws Exception {
    var result = new CompletableFuture<T>();
    var thread =
        new Thread(
            () -> {
              try {
                result.complete(task.call());
              } catch (Exception failure) {
                result.completeExceptionally(failure);
              }
            });
    thread.setContextClassLoader(loader);
    thread.start();
    thread.join(20_000);
    return result.get(1, TimeUnit.SECONDS);
  }

  private static AutoCloseable made(ClassLoader loader, Class<?> what) throws Exception {
    return (AutoCloseable)
        apart(
            loader, () -> loader.loadClass(what.getName()).getDeclaredConstructor().newInstance());
  }

  private static void awaitGone(WeakReference<?> loader) {
    await("nothing holds its classes")
        .atMost(ofSeconds(20))
        .until(
            () -> {
              System.gc();
              return loader.get() == null;
            });
  }

  @Test
  void a_bundle_of_other_classes_is_served_and_nothing_holds_them_when_it_is_undeployed()
      throws Exception {
    var node = keep(new ScriptedNode("here", true));
    var gone = visited(node);
    awaitGone(gone);
    assertThat(node.sessions()).isZero();
  }

  @SuppressWarnings("unchecked")
  private static WeakReference<ClassLoader> visited(ScriptedNode node) throws Exception {
    var loader = loader();
    var guest = made(loader, Guest.class);
    assertThat(guest.getClass()).isNotEqualTo(Guest.class);
    var id = apart(loader, () -> ((Function<String, String>) guest).apply("t"));
    assertThat(node.received(Command.class))
        .singleElement()
        .satisfies(it -> assertThat(it.id()).isEqualTo(UUID.fromString(id)));
    apart(
        loader,
        () -> {
          guest.close();
          return "closed";
        });
    loader.close();
    return new WeakReference<>(loader);
  }

  @Test
  void nothing_of_the_bundle_holds_the_classes_of_a_node_that_was_undeployed() throws Exception {
    var bundle = EventoBundle.named("test").connect("vm:").register(EventoBundleTest.Thing.class);
    var started = new ArrayList<EventoBundle>();
    var gone = hosted(bundle, started);
    awaitGone(gone);
    assertThat(started.get(0).isConnected()).isFalse();
  }

  private WeakReference<ClassLoader> hosted(EventoBundle.Builder bundle, List<EventoBundle> started)
      throws Exception {
    var loader = loader();
    var host = made(loader, Host.class);
    started.add(bundle.start());
    open.add(started.get(0));
    started.get(0).commands().send(new EventoBundleTest.Make("t"));
    apart(
        loader,
        () -> {
          host.close();
          return "closed";
        });
    loader.close();
    return new WeakReference<>(loader);
  }
}
