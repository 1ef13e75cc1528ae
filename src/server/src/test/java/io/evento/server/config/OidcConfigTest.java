package io.evento.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.ConfigValue;
import org.eclipse.microprofile.config.spi.ConfigSource;
import org.eclipse.microprofile.config.spi.Converter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an operator may say of a provider. */
class OidcConfigTest {
  private static final Map<String, String> GIVEN =
      Map.of(
          "evento.oidc.issuer", "https://login.example.com/realms/a",
          "evento.oidc.client-id", "evento",
          "evento.oidc.callback", "https://evento.example.com/evento/api/session/oidc/callback",
          "evento.oidc.roles", "evento-admins=admin, ops=operator,ops=auditor,CN=x=viewer");

  /** Configuration that a test gives. */
  private record Given(Map<String, String> values) implements Config {
    @Override
    public <T> T getValue(String name, Class<T> type) {
      return getOptionalValue(name, type).orElseThrow();
    }

    @Override
    public ConfigValue getConfigValue(String name) {
      throw new UnsupportedOperationException();
    }

    @Override
    public <T> Optional<T> getOptionalValue(String name, Class<T> type) {
      return Optional.ofNullable(values.get(name)).map(type::cast);
    }

    @Override
    public Iterable<String> getPropertyNames() {
      return values.keySet();
    }

    @Override
    public Iterable<ConfigSource> getConfigSources() {
      throw new UnsupportedOperationException();
    }

    @Override
    public <T> Optional<Converter<T>> getConverter(Class<T> type) {
      throw new UnsupportedOperationException();
    }

    @Override
    public <T> T unwrap(Class<T> type) {
      throw new UnsupportedOperationException();
    }
  }

  @Test
  void what_is_not_said_has_a_default() {
    assertThat(OidcConfig.read(new Given(Map.of()))).isEmpty();
    var config = OidcConfig.read(new Given(GIVEN)).orElseThrow();
    assertThat(config.scope()).isEqualTo("openid profile email");
    assertThat(config.nameClaim()).isEqualTo("preferred_username");
    assertThat(config.groupsClaim()).isEqualTo("groups");
    assertThat(config.after()).isEqualTo("/evento/api/session");
    assertThat(config.secretFile()).isEmpty();
    assertThat(config.roles())
        .isEqualTo(
            Map.of(
                "evento-admins", Set.of("admin"),
                "ops", Set.of("operator", "auditor"),
                "CN=x", Set.of("viewer")));
  }

  @ParameterizedTest
  @CsvSource({
    "issuer, http://login.example.com, https",
    "issuer, https:///x, https",
    "issuer, https://u:p@login.example.com, https",
    "issuer, https://login.example.com?x=1, query",
    "issuer, 'no url', URL",
    "client-id, '', be there",
    "client-secret-file, /nowhere/at/all, file",
    "callback, '', be there",
    "callback, http://evento.example.com/evento/api/session/oidc/callback, https",
    "callback, https://evento.example.com/evento/api/session, end with",
    "scope, profile, openid",
    "roles, '', be there",
    "roles, ops, GROUP=ROLE",
    "roles, ops=root, GROUP=ROLE",
    "roles, =admin, GROUP=ROLE",
    "after, //evil.example, path",
    "after, https://evil.example, path",
    "after, '/\"><script>', path"
  })
  void what_is_wrong_is_told_with_its_key_and_rule(String key, String value, String rule) {
    var given = new HashMap<>(GIVEN);
    given.put("evento.oidc." + key, value);
    assertThatThrownBy(() -> OidcConfig.read(new Given(given)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("evento.oidc." + key + " must ")
        .hasMessageContaining(rule);
  }

  @Test
  void a_provider_on_this_machine_needs_no_tls() {
    var given = new HashMap<>(GIVEN);
    given.put("evento.oidc.issuer", "http://127.0.0.1:8099/realm");
    given.put("evento.oidc.callback", "http://localhost:8080/evento/api/session/oidc/callback");
    assertThat(OidcConfig.read(new Given(given))).isPresent();
  }
}
