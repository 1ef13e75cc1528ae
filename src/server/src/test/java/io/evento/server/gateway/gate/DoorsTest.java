package io.evento.server.gateway.gate;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which paths need no credential, and which one a page of another site may make a browser open. */
class DoorsTest {
  private static final String RETURN = "/api/session/oidc/callback";

  @ParameterizedTest
  @CsvSource({
    "GET, /api/health/ready, true",
    "GET, /api/health, false",
    "GET, /api/health/ready/x, false",
    "GET, /api/health/../nodes, false",
    "GET, /api/session/oidc, true",
    "GET, /api/session/oidc/callback, true",
    "POST, /api/session, true",
    "POST, /api/session/oidc, false",
    "POST, /api/session/oidc/callback, false",
    "GET, /api/session, false",
    "GET, /api/session/oidc/, false",
    "GET, /api/session/oidc/callback/, false",
    "GET, /api/session/oidc/callback/../../../nodes, false",
    "GET, /api/session/oidc/callback;x=y, false",
    "GET, /api/session/oidc%2fcallback, false",
    "GET, /api/nodes, false"
  })
  void a_door_is_open_by_its_method_and_whole_name_alone(
      String method, String path, boolean isOpen) {
    assertThat(Doors.isOpen(method, path)).isEqualTo(isOpen);
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /api/session/oidc/callback, navigate, iframe",
    "GET, /api/session/oidc/callback, no-cors, image",
    "GET, /api/session/oidc/callback, cors, empty",
    "GET, /api/session/oidc/callback, navigate,",
    "GET, /api/session/oidc/callback,, document",
    "HEAD, /api/session/oidc/callback, navigate, document",
    "POST, /api/session/oidc/callback, navigate, document",
    "GET, /api/session/oidc, navigate, document",
    "GET, /api/session, navigate, document",
    "GET, /api/session/oidc/callback/x, navigate, document"
  })
  void nothing_else_is_a_return_from_a_provider(
      String method, String path, String mode, String dest) {
    assertThat(Doors.isReturn(method, path, mode, dest)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /, true",
    "GET, /console, true",
    "HEAD, /console/, true",
    "GET, /console/app.js, true",
    "GET, /console/lib/lit-html/directives/class-map.js, true",
    "GET, /console/streams/Account/a~2F1.b, true",
    "POST, /console/app.js, false",
    "GET, /consoles, false",
    "GET, /console//nodes, false",
    "GET, /console/../api/nodes, false",
    "GET, /console/..;/api/nodes, false",
    "GET, /console/x/..%2f..%2fapi/nodes, false",
    "GET, /console/%2e%2e/api/nodes, false",
    "GET, /console/a;b=c, false",
    "GET, /console/.hidden, false",
    "GET, /console\\api, false",
    "GET, /api/console/app.js, false"
  })
  void a_page_is_open_where_no_server_can_take_its_path_for_another(
      String method, String path, boolean isPage) {
    assertThat(Doors.isPage(method, path)).isEqualTo(isPage);
  }

  @Test
  void a_window_that_goes_back_is_one() {
    assertThat(Doors.isReturn("GET", RETURN, "navigate", "document")).isTrue();
  }
}
