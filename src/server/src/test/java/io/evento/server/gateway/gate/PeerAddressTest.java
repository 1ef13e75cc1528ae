package io.evento.server.gateway.gate;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.Proxy;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whom a node holds for the one who asks. */
class PeerAddressTest {
  private final PeerAddress addresses = new PeerAddress(List.of("10.0.0.5", "10.0.0.6"));

  /** A request that says where it comes from, and nothing else. */
  private static HttpServletRequest from(String peer, String... forwarded) {
    return (HttpServletRequest)
        Proxy.newProxyInstance(
            PeerAddressTest.class.getClassLoader(),
            new Class<?>[] {HttpServletRequest.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "getRemoteAddr" -> peer;
                  case "getHeaders" -> Collections.enumeration(List.of(forwarded));
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  @Test
  void a_stranger_is_his_peer_whatever_he_says() {
    assertThat(addresses.of(from("10.9.9.9", "127.0.0.1"))).isEqualTo("10.9.9.9");
  }

  @Test
  void a_trusted_balancer_names_its_own_peer_last_and_what_stands_before_is_ignored() {
    assertThat(addresses.of(from("10.0.0.5", "1.1.1.1, 10.9.9.9"))).isEqualTo("10.9.9.9");
    assertThat(addresses.of(from("10.0.0.5", "1.1.1.1", "10.9.9.9, 10.0.0.6")))
        .as("behind two of them")
        .isEqualTo("10.9.9.9");
    assertThat(addresses.of(from("10.0.0.5", "2001:db8::1"))).isEqualTo("2001:db8::1");
  }

  @Test
  void a_balancer_that_names_nobody_or_no_address_is_the_peer() {
    assertThat(addresses.of(from("10.0.0.5"))).isEqualTo("10.0.0.5");
    assertThat(addresses.of(from("10.0.0.5", "x\r\ny"))).isEqualTo("10.0.0.5");
    assertThat(addresses.of(from("10.0.0.5", "10.0.0.6"))).isEqualTo("10.0.0.5");
  }
}
