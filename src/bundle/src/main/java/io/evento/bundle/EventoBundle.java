package io.evento.bundle;

import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.consumer.ConsumerProgress;
import io.evento.bundle.consumer.Consumers;
import io.evento.bundle.consumer.StepConsumers;
import io.evento.bundle.dispatch.Components;
import io.evento.bundle.dispatch.Dispatcher;
import io.evento.bundle.gateway.BlockingCalls;
import io.evento.bundle.gateway.CommandGateway;
import io.evento.bundle.gateway.FetchedKeys;
import io.evento.bundle.gateway.OwnerKeys;
import io.evento.bundle.gateway.QueryGateway;
import io.evento.bundle.gateway.Requests;
import io.evento.bundle.gateway.Subscriptions;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.session.Access;
import io.evento.bundle.session.Address;
import io.evento.bundle.session.Handshake;
import io.evento.bundle.session.Links;
import io.evento.bundle.session.TlsFiles;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import io.evento.protocol.SessionMessage.Hello;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLContext;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A process that takes part in a cluster: hosts components, sends commands, asks queries.
 * Thread-safe.
 */
public final class EventoBundle implements AutoCloseable {
  private static final Logger LOG = System.getLogger(EventoBundle.class.getName());
  private static final long CONNECT_WAIT_SECONDS = 10;
  private static final long FINISH_MAX_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** What a node sent before it heard of our leaving is here by then. */
  private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  private final String name;
  private final ScheduledThreadPoolExecutor clock = clock();
  private final BlockingCalls blockingCalls = new BlockingCalls();
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
      @Nullable DataSource database) {
    this.name = hello.bundle();
    this.dispatcher = new Dispatcher(components, database, new ConsumerProgress());
    this.consumers = new Consumers(components.projectors(), mapper, database, clock);
    this.steps = new StepConsumers(components.sagas(), components.observers(), mapper);
    this.requests = new Requests(this::links, clock);
    keys.askBy(requests);
    this.subscriptions = new Subscriptions(this::links, clock);
    this.links =
        new Links(
            addresses,
            new Handshake(access, hello, components.declared()),
            new InboundMessages(requests, subscriptions, dispatcher, consumers, steps, keys),
            clock);
    this.commands = new CommandGateway(mapper, requests, ownerKeys(components), blockingCalls);
    this.queries = new QueryGateway(mapper, requests, subscriptions, blockingCalls);
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

  private static OwnerKeys ownerKeys(Components components) {
    var ownerKeys = new OwnerKeys();
    for (var component : components.declared()) {
      for (var command : component.commands()) {
        if (component.kind() == ComponentKind.AGGREGATE
            || component.kind() == ComponentKind.BOUNDARY) {
          ownerKeys.aggregate(command.type(), component.name());
        } else {
          ownerKeys.service(command.type());
        }
      }
    }
    return ownerKeys;
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

  private void open() {
    var connected = links.open();
    try {
      connected.get(CONNECT_WAIT_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException late) {
      LOG.log(
          Level.WARNING, () -> "no node connected yet, trying in the background bundle=" + name);
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
    links.drain();
    consumers.stop();
    steps.stop();
    awaitQuiet();
    links.close();
    requests.close();
    subscriptions.close();
    consumers.close();
    steps.close();
    dispatcher.close();
    clock.shutdownNow();
    blockingCalls.close();
    LOG.log(Level.INFO, () -> "closed bundle=" + name);
    closed.countDown();
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
    private final List<String> servers = new ArrayList<>();
    private final List<Object> components = new ArrayList<>();
    private @Nullable String token;
    private @Nullable Path tokenFile;
    private @Nullable SSLContext tls;
    private boolean isTlsElsewhere;
    private @Nullable DataSource database;

    private Builder(String name) {
      this.name = name;
    }

    /**
     * @param urls nodes or balancers, such as {@code ws://a:8081/evento}; more than one keeps the
     *     bundle connected while a node dies
     */
    public Builder connect(String... urls) {
      servers.addAll(List.of(urls));
      return this;
    }

    /**
     * Proves who this is, where the cluster asks for it. Goes to nodes over {@code wss://} alone,
     * or to this very machine.
     */
    public Builder token(String secret) {
      token = secret;
      tokenFile = null;
      return this;
    }

    /** The same from a file, which is read again at each connect: a new token needs no restart. */
    public Builder tokenFile(Path file) {
      tokenFile = file;
      token = null;
      return this;
    }

    /** Whom to believe, and who this is, over {@code wss://}; else what the JVM trusts. */
    public Builder tls(SSLContext context) {
      tls = context;
      return this;
    }

    /**
     * Lets the token go over {@code ws://} to other machines: something else keeps strangers from
     * reading along, such as a network of one's own, or a proxy on each machine.
     */
    public Builder tlsElsewhere() {
      isTlsElsewhere = true;
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
      var listed = environment.getOrDefault("EVENTO_SERVERS", "");
      if (listed.isBlank()) {
        throw new InvalidBundleException(
            "set EVENTO_SERVERS to the addresses of the cluster, such as"
                + " ws://a:8081/evento,ws://b:8082/evento");
      }
      for (var url : listed.split(",", -1)) {
        if (!url.isBlank()) {
          servers.add(url.strip());
        }
      }
      var file = file(environment, "EVENTO_TOKEN_FILE");
      if (file != null) {
        tokenFile(file);
      } else {
        token = environment.get("EVENTO_TOKEN");
      }
      var elsewhere = environment.getOrDefault("EVENTO_TLS", "").strip();
      if (!elsewhere.isEmpty() && !elsewhere.equals("elsewhere")) {
        throw new InvalidBundleException("EVENTO_TLS must be elsewhere or unset, is " + elsewhere);
      }
      isTlsElsewhere |= !elsewhere.isEmpty();
      var trust = file(environment, "EVENTO_TRUST_FILE");
      var certificate = file(environment, "EVENTO_CLIENT_CERT_FILE");
      var key = file(environment, "EVENTO_CLIENT_KEY_FILE");
      if (trust != null || certificate != null || key != null) {
        try {
          tls = TlsFiles.context(trust, certificate, key);
        } catch (IllegalArgumentException unfit) {
          throw new InvalidBundleException(String.valueOf(unfit.getMessage()), unfit);
        }
      }
      return this;
    }

    private static @Nullable Path file(Map<String, String> environment, String name) {
      var said = environment.getOrDefault(name, "");
      return said.isBlank() ? null : Path.of(said.strip());
    }

    /**
     * @param hosted classes of aggregates and boundaries; instances of everything else
     */
    public Builder register(Object... hosted) {
      components.addAll(List.of(hosted));
      return this;
    }

    /** Where handlers that take a {@code Connection} work. Should be a pool. */
    public Builder jdbc(DataSource pool) {
      database = pool;
      return this;
    }

    private static URI address(String given) {
      try {
        return Address.parse(given);
      } catch (IllegalArgumentException broken) {
        throw new InvalidBundleException(String.valueOf(broken.getMessage()), broken);
      }
    }

    /**
     * Checks everything, connects, declares the components. Waits up to ten seconds for the first
     * node; if none answers by then the bundle goes on trying in the background.
     *
     * @throws InvalidBundleException if something about the bundle must be changed
     * @throws EventoException if the cluster refuses what is declared
     */
    public EventoBundle start() {
      try {
        Names.checkType("", name);
      } catch (EventoException broken) {
        throw new InvalidBundleException(
            "the name \"" + name + "\" of the bundle" + broken.detail(), broken);
      }
      if (servers.isEmpty()) {
        throw new InvalidBundleException(
            "the bundle has no server: name one with connect(\"ws://host:8080/evento\") or use"
                + " fromEnvironment()");
      }
      var addresses = servers.stream().map(Builder::address).distinct().toList();
      var access = new Access(token, tokenFile, tls, isTlsElsewhere);
      for (var address : addresses) {
        access
            .refuses(address)
            .ifPresent(
                why -> {
                  throw new InvalidBundleException(why);
                });
      }
      var keys = new FetchedKeys();
      var mapper = new PayloadMapper(keys);
      var hosted = Components.of(components, mapper, database != null);
      var version = EventoBundle.class.getPackage().getImplementationVersion();
      var hello = new Hello(name, UUID.randomUUID(), version == null ? "unreleased" : version);
      var bundle = new EventoBundle(access, hello, addresses, hosted, mapper, keys, database);
      bundle.open();
      return bundle;
    }
  }
}
