package io.evento.bundle;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.session.TlsFiles;
import io.evento.testing.Authority;
import io.undertow.Undertow;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xnio.Options;
import org.xnio.SslClientAuthMode;

/** Whom a bundle shows its token over TLS, and how it shows who it is itself. */
@SuppressWarnings("NullAway.Init") // filled before all tests
class TlsTest {
  /** The certificate is of 127.0.0.1 and localhost, and does not name this address of ours. */
  private static final String OTHER_NAME = "127.0.0.2";

  private final List<String> shown = new CopyOnWriteArrayList<>();

  @TempDir private static Path files;
  private static Authority own;
  private static Authority stranger;
  private Undertow gate;

  @BeforeAll
  static void certificates() {
    own = Authority.in(files.resolve("own"), "own", "secret-1");
    stranger = Authority.in(files.resolve("stranger"), "stranger", "secret-2");
  }

  @AfterEach
  void close() {
    gate.stop();
  }

  /** A node's gate that lets nobody in, and remembers what it was shown. */
  private int open(String address, SslClientAuthMode clients) {
    var node = own.issue("node");
    var tls = TlsFiles.context(own.certificate(), node.certificate(), node.key());
    gate =
        Undertow.builder()
            .addHttpsListener(0, address, tls)
            .setSocketOption(Options.SSL_CLIENT_AUTH_MODE, clients)
            .setHandler(
                exchange -> {
                  shown.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
                  exchange.setStatusCode(401);
                  exchange.endExchange();
                })
            .build();
    gate.start();
    return ((InetSocketAddress) gate.getListenerInfo().get(0).getAddress()).getPort();
  }

  /** Starts a bundle that will not be let in, and tries for as long as it does. */
  private static CompletableFuture<Void> start(
      String address, int port, String token, Map<String, String> more) {
    var settings = new HashMap<>(more);
    settings.put("EVENTO_SERVERS", "wss://" + address + ":" + port + "/evento");
    settings.put("EVENTO_TOKEN", token);
    return CompletableFuture.runAsync(
        () -> EventoBundle.named("bank").from(settings).start().close());
  }

  private static Map<String, String> trust(Authority authority) {
    return Map.of("EVENTO_TRUST_FILE", authority.certificate().toString());
  }

  @Test
  void a_token_is_shown_to_a_node_of_the_trust_file_and_to_no_other() {
    var port = open("127.0.0.1", SslClientAuthMode.NOT_REQUESTED);
    var all =
        List.of(
            start("127.0.0.1", port, "good", trust(own)),
            start("127.0.0.1", port, "of-a-stranger", trust(stranger)),
            start("127.0.0.1", port, "of-the-jvm", Map.of()));
    await().atMost(ofSeconds(30)).until(() -> shown.contains("Bearer good"));
    all.forEach(CompletableFuture::join);
    assertThat(shown).containsOnly("Bearer good");
  }

  @Test
  void a_node_whose_certificate_does_not_name_it_is_not_shown_the_token() {
    var port = open(OTHER_NAME, SslClientAuthMode.NOT_REQUESTED);
    start(OTHER_NAME, port, "secret", trust(own)).join();
    assertThat(shown).isEmpty();
  }

  @Test
  void a_bundle_shows_its_certificate_where_nodes_ask_for_one() {
    var port = open("127.0.0.1", SslClientAuthMode.REQUIRED);
    var mine = own.issue("bundle");
    var foreign = stranger.issue("bundle");
    var all =
        List.of(
            start("127.0.0.1", port, "certified", certified(mine)),
            start("127.0.0.1", port, "certified-by-a-stranger", certified(foreign)),
            start("127.0.0.1", port, "without", trust(own)));
    await().atMost(ofSeconds(30)).until(() -> shown.contains("Bearer certified"));
    all.forEach(CompletableFuture::join);
    assertThat(shown).containsOnly("Bearer certified");
  }

  private static Map<String, String> certified(Authority.Issued issued) {
    return Map.of(
        "EVENTO_TRUST_FILE", own.certificate().toString(),
        "EVENTO_CLIENT_CERT_FILE", issued.certificate().toString(),
        "EVENTO_CLIENT_KEY_FILE", issued.key().toString());
  }
}
