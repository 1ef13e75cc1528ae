package io.evento.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.CommandMessage.Command;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What is taken alone can be told as a part of any message. */
class JsonTest {
  private static final UUID ID = UUID.randomUUID();

  @Test
  void the_deepest_metadata_and_payload_that_are_taken_can_be_told_to_a_consumer() {
    var deepest = new Json(nested(Json.DEPTH_MAX));
    var taken =
        (Command) Codec.read(Codec.write(new Command(ID, "T", null, 9, null, deepest, deepest)));
    var event =
        new RecordedEvent(
            1,
            new RecordedEvent.Stream("A", "a"),
            1,
            "T",
            "bank",
            "2026-01-31T10:15:30.123456Z",
            ID,
            "c",
            null,
            Json.EMPTY_OBJECT,
            taken.payload());
    var told = new ConsumerMessage.Events("view:1", 0, 1, ID, 0, 1, List.of(event));
    assertThat(Codec.read(Codec.write(told))).isEqualTo(told);
  }

  @Test
  void what_is_nested_deeper_is_refused_by_its_field() {
    var line =
        Codec.write(
            new Command(
                ID, "T", null, 9, null, new Json(nested(Json.DEPTH_MAX + 1)), Json.EMPTY_OBJECT));
    assertThatThrownBy(() -> Codec.read(line))
        .isInstanceOfSatisfying(
            EventoException.class,
            refused ->
                assertThat(refused.violations())
                    .containsExactly(new Violation("/meta", "must be nested at most 150 deep")));
  }

  @Test
  void metadata_has_a_limit_on_every_door() {
    var most = CommandMessage.META_CHARS_MAX + CommandMessage.META_CHARS_ADDED;
    var text = "{\"a\":\"" + "x".repeat(most) + "\"}";
    assertThatThrownBy(() -> new Command(ID, "T", null, 9, null, new Json(text), Json.EMPTY_OBJECT))
        .isInstanceOfSatisfying(
            EventoException.class,
            refused -> assertThat(refused.violations().get(0).pointer()).isEqualTo("/meta"));
  }

  private static String nested(int depth) {
    return "{\"a\":".repeat(depth) + "1" + "}".repeat(depth);
  }
}
