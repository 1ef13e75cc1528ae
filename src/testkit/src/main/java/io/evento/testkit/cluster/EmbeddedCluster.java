package io.evento.testkit.cluster;

import io.evento.bundle.EventoBundle;
import io.evento.launcher.Member;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/**
 * A real cluster for the tests of a class:
 *
 * <pre>{@code
 * @RegisterExtension static final EmbeddedCluster cluster = EmbeddedCluster.ofNodes(1);
 *
 * @Test void money_comes_in() {
 *   var bundle = cluster.start(EventoBundle.named("bank").register(Account.class));
 *   bundle.commands().send(new OpenAccount("a-1", "Ada"));
 * }
 * }</pre>
 *
 * <p>Classes that ask for the same number of nodes share one cluster, which ends with the run: each
 * test makes its own aggregates. A node that a test killed or froze is ready again before the next
 * class. The first start takes some ten seconds a node.
 */
public final class EmbeddedCluster implements BeforeAllCallback, AfterAllCallback {
  static final int NODES_MAX = 8;

  private static final Namespace NAMESPACE = Namespace.create(EmbeddedCluster.class);
  private static final Duration START_MAX = Duration.ofSeconds(180);

  private final int size;
  private final Deque<EventoBundle> bundles = new ArrayDeque<>();
  private @Nullable Nodes nodes;

  private EmbeddedCluster(int size) {
    if (size < 1 || size > NODES_MAX) {
      throw new IllegalArgumentException("nodes must be 1 to " + NODES_MAX + ", is " + size);
    }
    this.size = size;
  }

  /**
   * @param count 1 to 8
   */
  public static EmbeddedCluster ofNodes(int count) {
    return new EmbeddedCluster(count);
  }

  @Override
  public void beforeAll(ExtensionContext context) throws Exception {
    nodes =
        context
            .getRoot()
            .getStore(NAMESPACE)
            .getOrComputeIfAbsent(size, absent -> Nodes.start(size, START_MAX), Nodes.class);
    nodes.heal(START_MAX);
  }

  @Override
  public void afterAll(ExtensionContext context) {
    while (!bundles.isEmpty()) {
      bundles.pop().close();
    }
  }

  /** Starts a bundle that knows every node; it is closed after the last test of the class. */
  public EventoBundle start(EventoBundle.Builder bundle) {
    var started = bundle.connect(servers()).start();
    bundles.push(started);
    return started;
  }

  /** Where bundles connect, such as {@code ws://127.0.0.1:41234/evento}. */
  public String[] servers() {
    return nodes().bundleUrls().toArray(String[]::new);
  }

  /** Where each node answers HTTP, such as {@code http://127.0.0.1:41234}. */
  public List<String> urls() {
    return nodes().members().stream().map(Member::url).toList();
  }

  /**
   * The processes of the nodes, to {@link Member#kill}, {@link Member#pause} and {@link
   * Member#start} them.
   */
  public List<Member> members() {
    return nodes().members();
  }

  /** Starts a node again and waits until it is ready. */
  public void start(Member node) throws InterruptedException {
    node.start();
    node.awaitReady(START_MAX);
  }

  /** An empty database for the bundle's own tables, in the cluster's PostgreSQL; no password. */
  public String jdbcUrl() {
    return nodes().bundlesJdbcUrl();
  }

  private Nodes nodes() {
    if (nodes == null) {
      throw new IllegalStateException("the cluster runs inside of tests: use @RegisterExtension");
    }
    return nodes;
  }
}
