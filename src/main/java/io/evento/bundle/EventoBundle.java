package io.evento.bundle;

import io.evento.bundle.gateway.CommandGateway;
import io.evento.bundle.gateway.QueryGateway;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A process that takes part in a cluster: hosts components, sends commands, asks queries.
 * Thread-safe.
 */
public final class EventoBundle implements AutoCloseable {

  private EventoBundle() {}

  /**
   * @param name of the bundle, the same in each of its instances
   */
  public static Builder named(String name) {
    return new Builder(name);
  }

  /** Sends commands. */
  public CommandGateway commands() {
    throw new UnsupportedOperationException();
  }

  /** Asks queries. */
  public QueryGateway queries() {
    throw new UnsupportedOperationException();
  }

  /** Whether at least one node is connected and knows what this bundle hosts. */
  public boolean isConnected() {
    throw new UnsupportedOperationException();
  }

  /** Waits until the process is told to stop (SIGTERM, Ctrl-C) or the bundle is closed. */
  public void awaitStop() {
    throw new UnsupportedOperationException();
  }

  /**
   * Leaves the cluster: takes nothing new, lets handlers that run end (at most ten seconds), closes
   * all sessions. Of no effect when repeated.
   */
  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }

  /** Says what a bundle is made of. */
  public static final class Builder {
    private final String name;
    private final List<String> servers = new ArrayList<>();
    private final List<Object> components = new ArrayList<>();
    private @Nullable String token;
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

    /** Proves who this is, where the cluster asks for it. */
    public Builder token(String secret) {
      token = secret;
      return this;
    }

    /**
     * Reads {@code EVENTO_SERVERS} (addresses separated by commas) and, if set, {@code
     * EVENTO_TOKEN}.
     */
    public Builder fromEnvironment() {
      return from(System.getenv());
    }

    Builder from(Map<String, String> environment) {
      return this;
    }

    /**
     * @param hosted classes of aggregates; instances of services, projectors and projections
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

    /**
     * Checks everything, connects, declares the components. Waits up to ten seconds for the first
     * node; if none answers by then the bundle goes on trying in the background.
     *
     * @throws InvalidBundleException if something about the bundle must be changed
     * @throws io.evento.protocol.EventoException if the cluster refuses what is declared
     */
    public EventoBundle start() {
      throw new UnsupportedOperationException(name + servers + components + token + database);
    }
  }
}
