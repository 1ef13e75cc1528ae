package io.evento.scenario.access;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import io.evento.cluster.HeldLink;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import io.evento.testing.FreePorts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** People who sign in by Keycloak's own pages, in a real browser. */
@Tag("keycloak")
@SuppressWarnings("NullAway.Init") // made before each test
class KeycloakIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Keycloak keycloak = Keycloak.start();

  /** Where people come back; known before the nodes are. */
  private static final int PORT = FreePorts.one();

  private static final String SITE = "http://localhost:" + PORT;
  private static final Pattern CONSOLE = Pattern.compile(SITE + "/evento/console/.*");

  @RegisterExtension static final Cluster cluster = Cluster.secured(settings());
  @RegisterExtension static final Browser browser = new Browser();

  private static HeldLink site;

  private BrowserContext context;
  private Page page;

  private static Map<String, String> settings() {
    try {
      var secret = Files.createTempFile("evento-keycloak", "");
      secret.toFile().deleteOnExit();
      Files.writeString(secret, Keycloak.SECRET);
      return Map.of(
          "EVENTO_OIDC_ISSUER",
          keycloak.issuer(),
          "EVENTO_OIDC_CLIENT_ID",
          Keycloak.CLIENT,
          "EVENTO_OIDC_CLIENT_SECRET_FILE",
          secret.toString(),
          "EVENTO_OIDC_CALLBACK",
          SITE + "/evento/api/session/oidc/callback",
          "EVENTO_OIDC_ROLES",
          "chiefs=admin,ops=operator",
          "EVENTO_OIDC_AFTER",
          "/evento/console/");
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @BeforeAll
  static void a_node_is_behind_the_site() throws IOException {
    site = HeldLink.to(URI.create(cluster.node(2).url()).getPort(), PORT);
  }

  @AfterAll
  static void close() {
    site.close();
    keycloak.close();
  }

  @BeforeEach
  void somebody_opens_a_browser() {
    context = browser.context(1280, 800, ColorScheme.LIGHT);
    page = context.newPage();
    page.navigate(SITE + "/evento/api/session/oidc");
    assertThat(page).hasURL(Pattern.compile(keycloak.issuer() + "/.*"));
  }

  private void signIn(String name, String password) {
    page.locator("#username").fill(name);
    page.locator("#password").fill(password);
    page.locator("#kc-login").click();
  }

  private JsonNode session() throws JsonProcessingException {
    return JSON.readTree(context.request().get(SITE + "/evento/api/session").text());
  }

  @Test
  void a_person_of_a_group_is_in_the_console_with_its_role() throws Exception {
    signIn("ada", "analytical engine");
    assertThat(page).hasURL(CONSOLE);
    assertThat(page.locator("h1").first()).isVisible();
    var who = session();
    assertThat(who.path("name").asText()).isEqualTo("ada");
    assertThat(who.path("roles").toString()).isEqualTo("[\"viewer\",\"operator\"]");
    assertThat(context.cookies(SITE))
        .filteredOn(cookie -> cookie.name.equals("__Host-evento"))
        .singleElement()
        .satisfies(
            cookie -> {
              assertThat(cookie.httpOnly).isTrue();
              assertThat(cookie.secure).isTrue();
            });
  }

  @Test
  void a_person_without_a_role_here_has_no_session() throws Exception {
    var refused = page.waitForResponse("**/callback?**", () -> signIn("eve", "in the garden"));
    assertThat(refused.status()).isEqualTo(403);
    assertThat(JSON.readTree(refused.text()).path("code").asText()).isEqualTo("forbidden");
    assertThat(context.cookies(SITE)).noneMatch(cookie -> cookie.name.equals("__Host-evento"));
  }

  @Test
  void a_wrong_password_does_not_leave_the_provider() throws Exception {
    signIn("ada", "difference engine");
    assertThat(page.locator("body")).containsText("Invalid username or password");
    assertThat(page).hasURL(Pattern.compile(keycloak.issuer() + "/.*"));
    assertThat(session().path("code").asText()).isEqualTo("unauthenticated");
  }
}
