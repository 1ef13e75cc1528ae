package io.evento.server.gateway.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.Json;
import org.junit.jupiter.api.Test;

/** What is told of a topic: its whole first, then the least that leads to the next look. */
class TopicStateTest {
  private static TopicState after(String... looks) {
    var state = TopicState.UNKNOWN;
    for (var look : looks) {
      state = state.next(new Json(look));
    }
    return state;
  }

  @Test
  void the_first_look_is_told_whole() {
    var state = after("{\"a\":{\"b\":1}}");
    assertThat(state.version()).isEqualTo(1);
    assertThat(state.whole()).isEqualTo("{\"a\":{\"b\":1}}");
  }

  @Test
  void even_one_that_saw_nothing() {
    assertThat(after("{}").version()).isEqualTo(1);
  }

  @Test
  void what_did_not_change_is_not_told() {
    var state = after("{\"a\":1,\"b\":{\"c\":2,\"d\":3}}", "{\"a\":1,\"b\":{\"c\":2,\"d\":4}}");
    assertThat(state.version()).isEqualTo(2);
    assertThat(state.patch()).isEqualTo("{\"b\":{\"d\":4}}");
  }

  @Test
  void what_went_is_null() {
    assertThat(after("{\"a\":1,\"b\":2}", "{\"b\":2}").patch()).isEqualTo("{\"a\":null}");
  }

  @Test
  void a_list_is_told_whole() {
    assertThat(after("{\"a\":[1,2]}", "{\"a\":[1,3]}").patch()).isEqualTo("{\"a\":[1,3]}");
  }

  @Test
  void a_look_that_saw_the_same_is_no_version() {
    assertThat(after("{\"a\":1}", "{\"a\":1}", "{ \"a\":1}").version()).isEqualTo(1);
  }
}
