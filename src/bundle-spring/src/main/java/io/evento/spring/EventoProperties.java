package io.evento.spring;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What an application says of its bundle.
 *
 * @param enabled whether the bundle is started with the application
 * @param servers addresses of nodes or balancers, such as {@code ws://a:8081/evento}
 * @param bundle name of the bundle; else that of the application
 * @param token that proves who this is
 * @param tokenFile where the token stands; read again at each connect
 * @param tls {@code elsewhere} where something else than the connection keeps strangers from
 *     reading along
 * @param trustFile whom to believe over {@code wss://}, as PEM
 * @param clientCertFile the bundle's own certificate, as PEM
 * @param clientKeyFile the key of that certificate, as PEM
 * @param waitForNode how long the application waits for the first node when it starts; zero for not
 *     at all
 * @param transactions whether projectors work in the transactions of the application's transaction
 *     manager, if it has one and a data source
 */
@ConfigurationProperties("evento")
public record EventoProperties(
    @DefaultValue("true") boolean enabled,
    @DefaultValue List<String> servers,
    @Nullable String bundle,
    @Nullable String token,
    @Nullable String tokenFile,
    @Nullable String tls,
    @Nullable String trustFile,
    @Nullable String clientCertFile,
    @Nullable String clientKeyFile,
    @DefaultValue("0s") Duration waitForNode,
    @DefaultValue("true") boolean transactions) {
  public EventoProperties {
    servers = List.copyOf(servers);
  }

  /** As the SDK asks for them. */
  Function<String, Optional<String>> settings() {
    var said = new java.util.HashMap<String, String>();
    put(said, "evento.servers", String.join(",", servers));
    put(said, "evento.token", token);
    put(said, "evento.token-file", tokenFile);
    put(said, "evento.tls", tls);
    put(said, "evento.trust-file", trustFile);
    put(said, "evento.client-cert-file", clientCertFile);
    put(said, "evento.client-key-file", clientKeyFile);
    return key -> Optional.ofNullable(said.get(key));
  }

  private static void put(Map<String, String> into, String key, @Nullable String value) {
    if (value != null && !value.isBlank()) {
      into.put(key, value);
    }
  }
}
