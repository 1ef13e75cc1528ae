package io.evento.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LinkTlsTest {
  private static final Map<String, String> ALL =
      Map.of(
          "evento.link.tls.key-store", "/tls/node.p12",
          "evento.link.tls.trust-store", "/tls/links.p12",
          "evento.link.tls.password", "secret");

  private static Optional<LinkTls> read(Map<String, String> keys) {
    return LinkTls.read(key -> Optional.ofNullable(keys.get(key)));
  }

  @Test
  void links_have_certificates_if_all_is_said_and_none_if_nothing_is() {
    assertThat(read(Map.of())).isEmpty();
    assertThat(read(ALL))
        .contains(new LinkTls(Path.of("/tls/node.p12"), Path.of("/tls/links.p12"), "secret"));
  }

  @Test
  void half_of_it_is_refused_by_the_name_of_what_is_missing() {
    for (var missing : ALL.keySet()) {
      var rest = new HashMap<>(ALL);
      rest.remove(missing);
      assertThatThrownBy(() -> read(rest)).hasMessageContaining(missing);
    }
  }
}
