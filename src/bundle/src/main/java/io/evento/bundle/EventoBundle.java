package io.evento.bundle;

import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.consumer.ConsumerProgress;
import io.evento.bundle.consumer.Consumers;
import io.evento.bundle.consumer.Database;
import io.evento.bundle.consumer.StepConsumers;
import io.evento.bundle.container.ComponentFactory;
import io.evento.bundle.container.HandlerInterceptor;
import io.evento.bundle.container.Transactions;
import io.evento.bundle.dispatch.Components;
import io.evento.bundle.dispatch.Dispatcher;
import io.evento.bundle.dispatch.Hosted;
import io.evento.bundle.dispatch.Store;
import io.evento.bundle.gateway.BlockingCalls;
import io.evento.bundle.gateway.CommandGateway;
import io.evento.bundle.gateway.FetchedKeys;
import io.evento.bundle.gateway.QueryGateway;
import io.evento.bundle.gateway.Requests;
import io.evento.bundle.gateway.SessionCommandGateway;
import io.evento.bundle.gateway.SessionQueryGateway;
import io.evento.bundle.gateway.Subscriptions;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.session.Access;
import io.evento.bundle.session.Handshake;
import io.evento.bundle.session.Links;
import io.evento.bundle.thread.Threads;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import io.evento.protocol.SessionMessage.Hello;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A process that takes part in a cluster: hosts components, sends commands, asks queries.
 * Thread-safe.
 */
public final class EventoBundle implements AutoCloseable {
  private static final Logger LOG = System.getLogger(EventoBundle.class.getName());
  private static final Duration CONNECT_WAIT = Duration.ofSeconds(10);
  private static final long FINISH_MAX_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** What a node sent before it heard of our leaving is here by then. */
  private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  private final String name;
  private final ScheduledThreadPoolExecutor clock = clock();
  private final BlockingCalls blockingCalls;
  private final Dispatcher dispatcher;
  private final Consumers consumers;
  private final StepConsumers steps;
  private final Requests requests;
  private final Subscriptions subscriptions;
  private final Links links;
  private final CommandGateway commands;
  private final QueryGateway queries;
  private final AtomicBoolean closing = new AtomicBoolean();
  private final CountDownLatch closed = new CountDownLatch(1);

  private EventoBundle(
      Access access,
      Hello hello,
      List<URI> addresses,
      Components components,
      PayloadMapper mapper,
      FetchedKeys keys,
      @Nullable Database database,
      Threads threads) {
    this.name = hello.bundle();
    this.blockingCalls = new BlockingCalls(threads);
    var pool = database == null ? null : database.pool();
    this.dispatcher = new Dispatcher(components, pool, new ConsumerProgress(), threads);
    this.consumers = new Consumers(components.projectors(), mapper, database, clock, threads);
    this.steps = new StepConsumers(components.sagas(), components.observers(), mapper, threads);
    this.requests = new Requests(this::links, clock);
    keys.askBy(requests);
    this.subscriptions = new Subscriptions(this::links, clock, threads);
    this.links =
        new Links(
            addresses,
            new Handshake(access, hello, components.declared()),
            new InboundMessages(requests, subscriptions, dispatcher, consumers, steps, keys),
            clock);
    this.commands =
        new SessionCommandGateway(mapper, requests, Ownership.keys(components), blockingCalls);
    this.queries = new SessionQueryGateway(mapper, requests, subscriptions, blockingCalls);
  }

  private static ScheduledThreadPoolExecutor clock() {
    var clock =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              var thread = new Thread(task, "evento-clock");
              thread.setDaemon(true);
              return thread;
            });
    clock.setRemoveOnCancelPolicy(true);
    return clock;
  }

  private Links links() {
    return links;
  }

  /**
   * @param name of the bundle, the same in each of its instances
   */
  public static Builder named(String name) {
    return new Builder(name);
  }

  /** Sends commands. */
  public CommandGateway commands() {
    return commands;
  }

  /** Asks queries. */
  public QueryGateway queries() {
    return queries;
  }

  /** Whether at least one node is connected and knows what this bundle hosts. */
  public boolean isConnected() {
    return links.isConnected();
  }

  /** Whether this bundle can do its work now, and what stands between it and the nodes. */
  public Readiness readiness() {
    return new Readiness(links.isConnected() && !closing.get(), links.addresses());
  }

  /**
   * @param wait for the first node; zero for not at all
   */
  private void open(Duration wait) {
    var connected = links.open();
    if (wait.isZero()) {
      return;
    }
    try {
      connected.get(wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      LOG.log(
          Level.WARNING,
          () ->
              "no node connected yet, trying in the background bundle="
                  + name
                  + " "
                  + String.join("; ", links.addresses()));
    } catch (ExecutionException refused) {
      close();
      throw refused.getCause() instanceof EventoException told
          ? told
          : new IllegalStateException(refused.getCause());
    } catch (InterruptedException stopped) {
      close();
      Thread.currentThread().interrupt();
      throw new EventoException(ErrorCode.UNAVAILABLE, "interrupted before a node was connected");
    }
  }

  /** Waits until the process is told to stop (SIGTERM, Ctrl-C) or the bundle is closed. */
  public void awaitStop() {
    var hook = new Thread(this::close, "evento-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      closed.await();
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    } catch (IllegalStateException stopping) {
      // The process is ending: the hook runs or has run.
      LOG.log(Level.DEBUG, "stopped by the end of the process");
    }
  }

  /**
   * Leaves the cluster: takes nothing new, lets handlers that run end (at most ten seconds), closes
   * all sessions. When repeated it waits for the first time to end.
   */
  @Override
  public void close() {
    if (!closing.compareAndSet(false, true)) {
      awaitClosed();
      return;
    }
    try {
      links.drain();
      consumers.stop();
      steps.stop();
      awaitQuiet();
    } finally {
      release();
    }
    LOG.log(Level.INFO, () -> "closed bundle=" + name);
  }

  /** Whatever failed before: sessions end, and so do threads. */
  private void release() {
    try {
      links.close();
      requests.close();
      subscriptions.close();
    } finally {
      try {
        consumers.close();
        steps.close();
        dispatcher.close();
      } finally {
        clock.shutdownNow();
        blockingCalls.close();
        closed.countDown();
      }
    }
  }

  private void awaitClosed() {
    try {
      if (!closed.await(2 * FINISH_MAX_NANOS, TimeUnit.NANOSECONDS)) {
        LOG.log(Level.WARNING, () -> "close takes too long bundle=" + name);
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns when nothing was under way for a moment, or too much time has passed. */
  private void awaitQuiet() {
    if (!links.isConnected()) {
      return;
    }
    var started = System.nanoTime();
    var quietSince = started;
    while (System.nanoTime() - quietSince < QUIET_NANOS
        && System.nanoTime() - started < FINISH_MAX_NANOS
        && !Thread.currentThread().isInterrupted()) {
      if (dispatcher.unanswered() > 0
          || requests.count() > 0
          || !consumers.isIdle()
          || !steps.isIdle()) {
        quietSince = System.nanoTime();
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
    }
  }

  /** Says what a bundle is made of. */
  public static final class Builder {
    private final String name;
    private final ConnectionSettings connection = new ConnectionSettings();
    private final List<Object> components = new ArrayList<>();
    private final List<HandlerInterceptor> interceptors = new ArrayList<>();
    private Duration wait = CONNECT_WAIT;
    private @Nullable ComponentFactory factory;
    private @Nullable ThreadFactory threads;
    private @Nullable DataSource pool;
    private @Nullable Transactions transactions;

    private Builder(String name) {
      this.name = name;
    }

    /**
     * @param urls nodes or balancers, such as {@code ws://a:8081/evento}; more than one keeps the
     *     bundle connected while a node dies
     */
    public Builder connect(String... urls) {
      connection.servers(List.of(urls));
      return this;
    }

    /**
     * Proves who this is, where the cluster asks for it. Goes to nodes over {@code wss://} alone,
     * or to this very machine.
     */
    public Builder token(String secret) {
      connection.token(secret);
      return this;
    }

    /** The same from a file, which is read again at each connect: a new token needs no restart. */
    public Builder tokenFile(Path file) {
      connection.tokenFile(file);
      return this;
    }

    /** Whom to believe, and who this is, over {@code wss://}; else what the JVM trusts. */
    public Builder tls(SSLContext context) {
      connection.tls(context);
      return this;
    }

    /**
     * Lets the token go over {@code ws://} to other machines: something else keeps strangers from
     * reading along, such as a network of one's own, or a proxy on each machine.
     */
    public Builder tlsElsewhere() {
      connection.tlsElsewhere();
      return this;
    }

    /**
     * Reads {@code EVENTO_SERVERS} (addresses separated by commas) and, if set, {@code
     * EVENTO_TOKEN} or {@code EVENTO_TOKEN_FILE}, {@code EVENTO_TLS} ({@code elsewhere} is {@link
     * #tlsElsewhere}), {@code EVENTO_TRUST_FILE} (PEM), and {@code EVENTO_CLIENT_CERT_FILE} with
     * {@code EVENTO_CLIENT_KEY_FILE} (PEM, PKCS#8).
     *
     * @throws InvalidBundleException if {@code EVENTO_SERVERS} is not set, or a file is not what it
     *     should be
     */
    public Builder fromEnvironment() {
      return from(System.getenv());
    }

    Builder from(Map<String, String> environment) {
      connection.readEnvironment(environment);
      return this;
    }

    /**
     * Reads the settings of {@link #fromEnvironment} from anywhere else, such as MicroProfile
     * Config: {@code evento.servers} and, if set, {@code evento.token} or {@code
     * evento.token-file}, {@code evento.tls}, {@code evento.trust-file}, {@code
     * evento.client-cert-file} and {@code evento.client-key-file}.
     *
     * @param source gives the value of a key; empty if it is not set
     * @throws InvalidBundleException if {@code evento.servers} is not set, or a file is not what it
     *     should be
     */
    public Builder settings(Function<String, Optional<String>> source) {
      connection.read(source, key -> key);
      return this;
    }

    /**
     * @param hosted classes of aggregates and boundaries; instances of everything else, or their
     *     classes where {@link #components} gives the instances. An instance may be a proxy, whose
     *     class is derived from that of the component
     */
    public Builder register(Object... hosted) {
      components.addAll(List.of(hosted));
      return this;
    }

    /**
     * Registers a component whose instance is asked for at each call of a handler.
     *
     * @param component the class with the annotation
     */
    public <T> Builder register(Class<T> component, Supplier<? extends T> instance) {
      components.add(Hosted.of(component, asked -> instance.get()));
      return this;
    }

    /** Who gives the instances of components that are registered as classes. */
    public Builder components(ComponentFactory instances) {
      factory = instances;
      return this;
    }

    /**
     * Puts something around each call of a handler. What is said first stands outermost; see {@link
     * HandlerInterceptor}.
     */
    public Builder around(HandlerInterceptor interceptor) {
      interceptors.add(interceptor);
      return this;
    }

    /**
     * Takes the threads of handlers from a container, such as a {@code ManagedThreadFactory}; else
     * they are the SDK's own, virtual where the JDK has them. Either way they have the context
     * class loader that {@link #start} is called with.
     */
    public Builder threads(ThreadFactory container) {
      threads = container;
      return this;
    }

    /** Where handlers that take a {@code Connection} work. Should be a pool. */
    public Builder jdbc(DataSource database) {
      pool = database;
      return this;
    }

    /**
     * Opens the transactions of projectors, in the database of {@link #jdbc}; see {@link
     * Transactions}.
     */
    public Builder transactions(Transactions container) {
      transactions = container;
      return this;
    }

    /**
     * How long {@link #start} waits for the first node, ten seconds unless it is said here.
     *
     * @param atMost zero for not at all: {@link #readiness} tells how it goes, and a refusal by the
     *     cluster is logged instead of thrown
     */
    public Builder waitForNode(Duration atMost) {
      wait = atMost;
      return this;
    }

    /** What was checked. */
    private record Checked(
        List<URI> addresses,
        Access access,
        FetchedKeys keys,
        PayloadMapper mapper,
        Components components,
        @Nullable Database database) {}

    /**
     * Checks all that {@link #start} checks before it connects, and connects to nothing.
     *
     * @throws InvalidBundleException if something about the bundle must be changed
     */
    public Builder check() {
      var unused = checked();
      return this;
    }

    private Checked checked() {
      try {
        Names.checkType("", name);
      } catch (EventoException broken) {
        throw new InvalidBundleException(
            "the name \"" + name + "\" of the bundle " + broken.detail(), broken);
      }
      var addresses = connection.addresses();
      var access = connection.access(addresses);
      if (transactions != null && pool == null) {
        throw new InvalidBundleException(
            "the transactions are of no database: say which with jdbc(dataSource)");
      }
      var database =
          pool == null
              ? null
              : transactions == null ? Database.of(pool) : new Database(pool, transactions);
      var store =
          pool == null ? Store.NONE : transactions == null ? Store.CONNECTIONS : Store.TRANSACTIONS;
      var keys = new FetchedKeys();
      var mapper = new PayloadMapper(keys);
      var registered = components.stream().map(each -> Hosted.of(each, factory)).toList();
      var hosted = Components.of(registered, mapper, store, interceptors);
      return new Checked(addresses, access, keys, mapper, hosted, database);
    }

    /**
     * Checks everything, connects, declares the components. Waits up to ten seconds for the first
     * node; if none answers by then the bundle goes on trying in the background.
     *
     * @throws InvalidBundleException if something about the bundle must be changed
     * @throws EventoException if the cluster refuses what is declared
     */
    public EventoBundle start() {
      var checked = checked();
      var version = EventoBundle.class.getPackage().getImplementationVersion();
      var hello = new Hello(name, UUID.randomUUID(), version == null ? "unreleased" : version);
      var bundle =
          new EventoBundle(
              checked.access,
              hello,
              checked.addresses,
              checked.components,
              checked.mapper,
              checked.keys,
              checked.database,
              threads == null ? Threads.own() : Threads.of(threads));
      bundle.open(wait);
      return bundle;
    }
  }
}
