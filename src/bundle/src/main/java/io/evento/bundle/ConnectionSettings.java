package io.evento.bundle;

import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.session.Access;
import io.evento.bundle.session.Address;
import io.evento.bundle.session.TlsFiles;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** Where the nodes are, and how a bundle proves who it is, as far as it was said. */
final class ConnectionSettings {
  private final List<String> servers = new ArrayList<>();
  private @Nullable String token;
  private @Nullable Path tokenFile;
  private @Nullable SSLContext tls;
  private boolean isTlsElsewhere;

  /** Named settings, wherever they stand. */
  private record Source(Function<String, Optional<String>> values, UnaryOperator<String> called) {
    Optional<String> get(String key) {
      return values.apply(key).map(String::strip).filter(value -> !value.isEmpty());
    }

    @Nullable Path file(String key) {
      return get(key).map(Path::of).orElse(null);
    }
  }

  void servers(List<String> urls) {
    servers.addAll(urls);
  }

  void token(String secret) {
    token = secret;
    tokenFile = null;
  }

  void tokenFile(Path file) {
    tokenFile = file;
    token = null;
  }

  void tls(SSLContext context) {
    tls = context;
  }

  void tlsElsewhere() {
    isTlsElsewhere = true;
  }

  /** The same from variables, such as {@code EVENTO_TOKEN_FILE}. */
  void readEnvironment(Map<String, String> environment) {
    read(key -> Optional.ofNullable(environment.get(variable(key))), ConnectionSettings::variable);
  }

  private static String variable(String key) {
    return key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }

  /**
   * Reads all there is to read.
   *
   * @param values by key, such as {@code evento.token-file}
   * @param called how a key is called where its value is to be set, for sentences
   */
  void read(Function<String, Optional<String>> values, UnaryOperator<String> called) {
    var source = new Source(values, called);
    var listed =
        source
            .get("evento.servers")
            .orElseThrow(
                () ->
                    new InvalidBundleException(
                        "set "
                            + called.apply("evento.servers")
                            + " to the addresses of the cluster, such as"
                            + " ws://a:8081/evento,ws://b:8082/evento"));
    for (var url : listed.split(",", -1)) {
      if (!url.isBlank()) {
        servers.add(url.strip());
      }
    }
    var file = source.file("evento.token-file");
    if (file != null) {
      tokenFile(file);
    } else {
      token = values.apply("evento.token").orElse(null);
    }
    var elsewhere = source.get("evento.tls").orElse("");
    if (!elsewhere.isEmpty() && !elsewhere.equals("elsewhere")) {
      throw new InvalidBundleException(
          called.apply("evento.tls") + " must be elsewhere or unset, is " + elsewhere);
    }
    isTlsElsewhere |= !elsewhere.isEmpty();
    readTls(source);
  }

  private void readTls(Source source) {
    var trust = source.file("evento.trust-file");
    var certificate = source.file("evento.client-cert-file");
    var key = source.file("evento.client-key-file");
    if (trust != null || certificate != null || key != null) {
      try {
        tls = TlsFiles.context(trust, certificate, key);
      } catch (IllegalArgumentException unfit) {
        throw new InvalidBundleException(String.valueOf(unfit.getMessage()), unfit);
      }
    }
  }

  /**
   * @throws InvalidBundleException if there is none, or one is malformed
   */
  List<URI> addresses() {
    if (servers.isEmpty()) {
      throw new InvalidBundleException(
          "the bundle has no server: name one with connect(\"ws://host:8080/evento\") or use"
              + " fromEnvironment()");
    }
    return servers.stream().map(ConnectionSettings::address).distinct().toList();
  }

  private static URI address(String given) {
    try {
      return Address.parse(given);
    } catch (IllegalArgumentException broken) {
      throw new InvalidBundleException(String.valueOf(broken.getMessage()), broken);
    }
  }

  /**
   * @throws InvalidBundleException if a token would go to one of the addresses in the clear
   */
  Access access(List<URI> addresses) {
    var access = new Access(token, tokenFile, tls, isTlsElsewhere);
    for (var address : addresses) {
      var refusal = access.refuses(address);
      if (refusal.isPresent()) {
        throw new InvalidBundleException(refusal.get());
      }
    }
    return access;
  }
}
