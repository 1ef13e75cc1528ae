package io.evento.server.security;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TokenTest {
  @Test
  void a_token_says_its_prefix_and_is_found_by_its_hash_alone() {
    var token = Token.make();
    assertThat(token.text()).startsWith("evt_" + token.prefix()).hasSize(4 + 8 + 43 + 6);
    assertThat(Token.hashOf(token.text())).contains(token.hash());
    assertThat(token.hash()).hasSize(32);
    assertThat(token).hasToString("evt_" + token.prefix() + "…");
    assertThat(Token.make().text()).isNotEqualTo(token.text());
  }

  @Test
  void what_was_mistyped_or_cut_is_no_token() {
    var text = Token.make().text();
    for (var at = 4; at < text.length(); at++) {
      var other = text.charAt(at) == 'x' ? 'y' : 'x';
      assertThat(Token.hashOf(text.substring(0, at) + other + text.substring(at + 1)))
          .as("another character at " + at)
          .isEmpty();
    }
    assertThat(Token.hashOf(text.substring(0, text.length() - 1))).isEmpty();
    assertThat(Token.hashOf(text + "0")).isEmpty();
    assertThat(Token.hashOf("")).isEmpty();
  }
}
