package io.evento.server.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.eventstore.AppendCondition.Alternative;
import io.evento.server.eventstore.follow.SeenPosition;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an append over HTTP may say, and how it is told what it may not. */
class AppendBodyTest {
  private static AppendBody read(String body) {
    return AppendBody.read(new Json(body));
  }

  @Test
  void events_and_their_condition_are_read_as_dcb_events_names_them() {
    var body =
        read(
            """
            {"events":[{"type":"CourseDefined","tags":["course:c1"],"payload":{"seats":3}},
                       {"type":"Opened","payloadVersion":2,"payload":{}}],
             "condition":{"failIfEventsMatch":{"items":[
                            {"types":["CourseDefined","CourseRenamed"],"tags":["course:c1","x"]},
                            {"tags":["course:c1"]}]},
                          "after":17},
             "context":"school","aggregate":{"type":"Import","id":"i-1"}}""");
    var events = body.checkedEvents();
    assertThat(events.get(0).tags()).containsExactly("course:c1");
    assertThat(events.get(0).payload().text()).isEqualTo("{\"seats\":3}");
    assertThat(events.get(1).payloadVersion()).isEqualTo(2);
    assertThat(body.checkedContext()).isEqualTo("school");
    assertThat(Objects.requireNonNull(body.checkedAggregate()).stream()).isEqualTo("Import:i-1");
    var guard = Objects.requireNonNull(body.checkedGuard());
    assertThat(guard.after()).isEqualTo(new SeenPosition(17, null));
    assertThat(guard.failIfMatch())
        .containsExactly(
            new Alternative(List.of("CourseDefined", "CourseRenamed"), List.of("course:c1", "x")),
            new Alternative(null, List.of("course:c1")));
  }

  @Test
  void without_after_the_whole_store_counts_and_without_items_every_event() {
    var guard =
        Objects.requireNonNull(
            read("{\"events\":[],\"condition\":{\"failIfEventsMatch\":{}}}").checkedGuard());
    assertThat(guard.after()).isEqualTo(new SeenPosition(0, null));
    assertThat(guard.failIfMatch()).containsExactly(new Alternative(null, List.of()));
    assertThat(read("{\"events\":[]}").checkedGuard()).isNull();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | /events",
        "{\"events\":[]} | /events",
        "{\"events\":[null]} | /events/0",
        "{\"events\":[{\"payload\":{}}]} | /events/0/type",
        "{\"events\":[{\"type\":\"A\"}]} | /events/0/payload",
        "{\"events\":[{\"type\":\"A\",\"payload\":5}]} | /events/0/payload",
        "{\"events\":[{\"type\":\"A\",\"payload\":{},\"tags\":[\"\"]}]} | /events/0/tags/0",
        "{\"events\":[{\"type\":\"A\",\"payload\":{},\"tag\":[\"x\"]}]} | /events/0/tag",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"conditions\":{}} | /conditions",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{}} |"
            + " /condition/failIfEventsMatch",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{},"
            + "\"from\":1}} | /condition/from",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{"
            + "\"item\":[]}}} | /condition/failIfEventsMatch/item",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{"
            + "\"items\":[{\"type\":\"A\"}]}}} | /condition/failIfEventsMatch/items/0/type",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{},"
            + "\"after\":-1}} | /condition/after",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"aggregate\":{\"type\":\"A\"}} |"
            + " /aggregate/id",
        "{\"events\":[{\"type\":\"A\",\"payload\":{},\"tags\":[7]}]} | /events/0/tags/0",
        "{\"events\":[{\"type\":\"A\",\"payload\":{},\"tags\":[true]}]} | /events/0/tags/0",
        "{\"events\":[{\"type\":\"A\",\"payload\":{},\"tags\":[null]}]} | /events/0/tags/0",
        "{\"events\":[{\"type\":\"A\",\"payload\":{},\"tags\":\"x\"}]} | /events/0/tags",
        "{\"events\":[{\"type\":\"A\",\"payload\":{},\"tags\":null}]} | /events/0/tags",
        "{\"events\":[{\"type\":\"A\",\"payload\":{},\"payloadVersion\":\"2\"}]} | /events/0/payloadVersion",
        "{\"events\":[{\"type\":\"A\",\"payload\":{},\"payloadVersion\":2.0}]} | /events/0/payloadVersion",
        "{\"events\":[{\"type\":\"A\",\"payload\":{},\"payloadVersion\":0}]} | /events/0/payloadVersion",
        "{\"events\":[{\"type\":\"A\",\"payload\":{},\"payloadVersion\":null}]} | /events/0/payloadVersion",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{},"
            + "\"after\":5,\"epoch\":\"7\"}} | /condition/epoch",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{},"
            + "\"after\":5,\"epoch\":\"AAAAAAAAAAAAAAAAAAAAAA==\"}} | /condition/epoch",
        "{\"events\":[{\"type\":7,\"payload\":{}}]} | /events/0/type",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}},7]} | /events/1",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}},\"\"]} | /events/1",
        "{\"events\":\"\"} | /events",
        "{\"events\":{}} | /events",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{},\"after\":\"5\"}} | /condition/after",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{},\"after\":5.7}} | /condition/after",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{},\"after\":5.0}} | /condition/after",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{},\"after\":5e0}} | /condition/after",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{},\"after\":\"\"}} | /condition/after",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{},\"after\":true}} | /condition/after",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{},\"after\":null}} | /condition/after",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{},\"after\":[5]}} | /condition/after",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{},\"after\":{}}} | /condition/after",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{},\"after\":99999999999999999999}} | /condition/after",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{\"items\":[{\"tags\":null}]}}} | /condition/failIfEventsMatch/items/0/tags",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{\"items\":[{\"tags\":[1]}]}}} | /condition/failIfEventsMatch/items/0/tags/0",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{\"items\":[{\"tags\":[true]}]}}} | /condition/failIfEventsMatch/items/0/tags/0",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{\"items\":[{\"tags\":[\"\"]}]}}} | /condition/failIfEventsMatch/items/0/tags/0",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{\"items\":[null]}}} | /condition/failIfEventsMatch/items/0",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{\"items\":[\"\"]}}} | /condition/failIfEventsMatch/items/0",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":{\"items\":[{\"types\":[null]}]}}} | /condition/failIfEventsMatch/items/0/types/0",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":{\"failIfEventsMatch\":\"\"}} | /condition/failIfEventsMatch",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":\"\"} | /condition",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"condition\":null} | /condition",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"context\":7} | /context",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"aggregate\":{\"type\":\"A\",\"id\":7}} | /aggregate/id",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"aggregate\":{\"type\":\"A\",\"id\":\"a\\u0000\"}} | /aggregate/id",
        "{\"events\":[{\"type\":\"A\",\"payload\":{}}],\"aggregate\":{\"type\":\"A\",\"id\":\"a\"},\"a/b~\":1} | /a~1b~0",
      })
  void what_is_wrong_is_named_and_a_misspelt_guard_is_no_guard(String body, String pointer) {
    assertThatThrownBy(
            () -> {
              var read = read(body);
              read.checkedGuard();
              read.checkedAggregate();
              read.checkedEvents();
            })
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> assertThat(told.violations().get(0).pointer()).isEqualTo(pointer));
  }
}
