package io.evento.bundle.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.Associate;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.SagaStart;
import io.evento.bundle.api.Step;
import io.evento.bundle.api.Tag;
import io.evento.bundle.dispatch.Components;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Violation;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** A component is looked for under its name in JSON, wherever the mapper has it from. */
@NullUnmarked
class RenamedComponentsTest {
  record Rename(@AggregateId @JsonProperty("thing_id") String thingId, int count) {}

  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  record Take(@AggregateId String thingId, @Tag("owner") String newOwner) {}

  record Take2(@JsonProperty("new_owner") @Tag("owner") String newOwner) {}

  record Address(@JsonProperty("street_id") String streetId, Map<String, Address> others) {}

  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  record Renamed(String thingId, Address newAddress) {}

  @Aggregate
  record Thing(String id) {
    @CommandHandler
    static Renamed rename(Rename command, Thing state) {
      return new Renamed(command.thingId(), null);
    }

    @CommandHandler
    static Renamed take(Take command, Thing state) {
      return new Renamed(command.thingId(), null);
    }

    @EventSourcingHandler
    static Thing renamed(Renamed event) {
      return new Thing(event.thingId());
    }
  }

  private static Component declared(Object component) {
    return Components.of(List.of(component), new PayloadMapper(), false).declared().get(0);
  }

  @Test
  void an_aggregate_is_found_by_the_name_in_json() {
    assertThat(declared(Thing.class).commands())
        .extracting(command -> command.type() + " " + command.idProperty())
        .containsExactlyInAnyOrder("Rename thing_id", "Take thing_id");
    var mapper = new PayloadMapper();
    var rename = mapper.typeOf(Rename.class);
    var json = rename.write(new Rename("t", 1));
    assertThat(json.text()).isEqualTo("{\"thing_id\":\"t\",\"count\":1}");
    assertThat(rename.aggregateId(rename.read(json))).isEqualTo("t");
    assertThat(mapper.typeOf(Take.class).schema().text())
        .contains("\"thing_id\"", "\"new_owner\"")
        .doesNotContain("thingId", "newOwner");
    assertThat(mapper.typeOf(Take2.class).subjectProperty()).isEqualTo("new_owner");
  }

  @Test
  void an_error_points_to_the_name_in_json() {
    assertThatThrownBy(
            () ->
                new PayloadMapper()
                    .typeOf(Rename.class)
                    .read(new Json("{\"thing_id\":7,\"count\":1}")))
        .isInstanceOfSatisfying(
            EventoException.class,
            told ->
                assertThat(told.violations())
                    .containsExactly(new Violation("/thing_id", "must be a string")));
  }

  @Saga(name = "s", state = Thing.class)
  static class ByComponent {
    @SagaStart
    @Associate("thingId")
    Step<Thing> on(Renamed event) {
      return Step.stay();
    }
  }

  @Saga(name = "s", state = Thing.class)
  static class ByJson {
    @SagaStart
    @Associate("/thing_id")
    Step<Thing> on(Renamed event) {
      return Step.stay();
    }
  }

  @Saga(name = "s", state = Thing.class)
  static class ByInside {
    @SagaStart
    @Associate("/newAddress/others/home/streetId")
    Step<Thing> on(Renamed event) {
      return Step.stay();
    }
  }

  @Saga(name = "s", state = Thing.class)
  static class ByNothing {
    @SagaStart
    @Associate("/newAddress/street")
    Step<Thing> on(Renamed event) {
      return Step.stay();
    }

    @EventHandler
    @Associate("/newAddress/street")
    Step<Thing> again(Renamed event, Thing state) {
      return Step.stay();
    }
  }

  @Test
  void a_saga_is_found_by_the_name_in_json_at_any_depth() {
    assertThat(associations(new ByComponent())).isEqualTo(Map.of("Renamed", "/thing_id"));
    assertThat(associations(new ByJson())).isEqualTo(Map.of("Renamed", "/thing_id"));
    assertThat(associations(new ByInside()))
        .isEqualTo(Map.of("Renamed", "/new_address/others/home/street_id"));
    assertThatThrownBy(() -> declared(new ByNothing()))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining("Renamed has no /newAddress/street");
  }

  private static Map<String, String> associations(Object saga) {
    return declared(saga).consumes().associations();
  }
}
