package io.evento.scenario.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.scenario.fixture.Cluster;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Locale;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the application server says by itself, before or beside Evento. */
class ServerNameIT {

  @RegisterExtension static final Cluster cluster = Cluster.running();

  @ParameterizedTest
  @ValueSource(strings = {"/", "/nothing-here", "/evento/api/nothing-here", "/evento/%c0%af"})
  void no_page_and_no_header_names_the_server_or_its_version(String path) throws Exception {
    var client = HttpClient.newHttpClient();
    var request = HttpRequest.newBuilder(URI.create(cluster.node(1).url() + path)).build();
    var answer = client.send(request, BodyHandlers.ofString());

    var said = (answer.headers().map() + answer.body()).toLowerCase(Locale.ROOT);
    assertThat(said)
        .doesNotContain("payara", "glassfish", "badassfish", "grizzly", "x-powered-by", "2025.");
  }
}
