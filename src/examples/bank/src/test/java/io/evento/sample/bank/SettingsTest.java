package io.evento.sample.bank;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SettingsTest {
  @Test
  void the_page_links_to_the_console_only_where_somebody_said_what_a_browser_reaches() {
    var servers = Map.of("EVENTO_SERVERS", "ws://node-1:8080/evento,ws://node-2:8080/evento");
    assertEquals(Optional.empty(), Settings.of(servers).console());

    var said = Map.of("BANK_CONSOLE_URL", "http://127.0.0.1:8080/evento/console/");
    assertEquals(
        Optional.of(URI.create("http://127.0.0.1:8080/evento/console/")),
        Settings.of(said).console());
  }
}
