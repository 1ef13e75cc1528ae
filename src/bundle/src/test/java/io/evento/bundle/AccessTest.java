package io.evento.bundle;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.session.Access;
import io.undertow.Undertow;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a bundle proves who it is, and what it does where it is not let in. */
@NullUnmarked
class AccessTest {
  private final List<String> shown = new CopyOnWriteArrayList<>();
  private volatile int answer = 401;
  private Undertow gate;

  @TempDir private Path files;

  @AfterEach
  void close() {
    if (gate != null) {
      gate.stop();
    }
  }

  /** A gate that answers everybody the same, and remembers what it was shown. */
  private String gate() {
    gate =
        Undertow.builder()
            .addHttpListener(0, "127.0.0.1")
            .setHandler(
                exchange -> {
                  shown.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
                  exchange.setStatusCode(answer);
                  exchange.endExchange();
                })
            .build();
    gate.start();
    var address = (java.net.InetSocketAddress) gate.getListenerInfo().get(0).getAddress();
    return "ws://127.0.0.1:" + address.getPort() + "/evento";
  }

  @ParameterizedTest
  @ValueSource(ints = {401, 403})
  void who_is_not_let_in_is_not_connected_and_tries_ever_more_rarely(int status) {
    answer = status;
    var begun = System.nanoTime();
    try (var bundle = EventoBundle.named("bank").connect(gate()).token("evt_secret").start()) {
      assertThat(bundle.isConnected()).isFalse();
      assertThat(shown).contains("Bearer evt_secret");
      assertThat(System.nanoTime() - begun).isGreaterThan(ofSeconds(9).toNanos());
      // Pauses of 0.5, 1, 2, 4 s, each at least half of that; unrefused it would be dozens.
      assertThat(shown).hasSizeBetween(3, 12);
    }
  }

  @Test
  void a_token_file_is_read_again_at_each_connect() throws IOException {
    var file = Files.writeString(files.resolve("token"), "evt_old\n");
    try (var bundle =
        EventoBundle.named("bank")
            .from(Map.of("EVENTO_SERVERS", gate(), "EVENTO_TOKEN_FILE", file.toString()))
            .start()) {
      assertThat(shown).contains("Bearer evt_old").doesNotContain("Bearer evt_new");
      Files.writeString(file, "evt_new\n");
      await().atMost(ofSeconds(30)).until(() -> shown.contains("Bearer evt_new"));
      assertThat(bundle.isConnected()).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ws://10.0.0.1:8080/evento",
        "ws://node-1:8080/evento",
        "ws://127.evil.example/evento"
      })
  void a_token_is_not_sent_in_the_clear_to_another_machine(String url) {
    assertThatThrownBy(() -> EventoBundle.named("bank").connect(url).token("evt_secret").start())
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining("use wss:// instead of ws://, or say EVENTO_TLS=elsewhere")
        .message()
        .doesNotContain("evt_secret");
  }

  @Test
  void a_token_goes_in_the_clear_where_its_operator_says_that_nobody_reads_along() {
    var node = URI.create("ws://node-1:8080/evento");
    assertThat(new Access("evt_secret", null, null, true).refuses(node)).isEmpty();
    assertThatThrownBy(
            () ->
                EventoBundle.named("bank")
                    .from(Map.of("EVENTO_SERVERS", node.toString(), "EVENTO_TLS", "off")))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessage("EVENTO_TLS must be elsewhere or unset, is off");
  }

  @Test
  void what_is_no_token_is_not_told_to_anybody() throws IOException {
    var file = Files.writeString(files.resolve("token"), "two words\nand a line");
    try (var bundle = EventoBundle.named("bank").connect(gate()).tokenFile(file).start()) {
      assertThat(bundle.isConnected()).isFalse();
      assertThat(shown).isEmpty();
    }
  }

  @Test
  void a_trust_file_has_to_have_certificates() throws IOException {
    var file = Files.writeString(files.resolve("trust.pem"), "nothing");
    assertThatThrownBy(
            () ->
                EventoBundle.named("bank")
                    .from(
                        Map.of(
                            "EVENTO_SERVERS",
                            "wss://node/evento",
                            "EVENTO_TRUST_FILE",
                            file.toString())))
        .isInstanceOf(InvalidBundleException.class);
  }
}
