package io.evento.bundle.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.PayloadVersion;
import io.evento.bundle.api.Upcaster;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Old payloads are read as the present record, or the bundle does not start. */
class UpcastersTest {
  private final PayloadMapper mapper = new PayloadMapper();

  @PayloadVersion(4)
  record Opened(String first, String last, int limit) {
    record V1(String owner) {}

    record V3(String first, String last, String limit) {}

    @Upcaster(from = 1)
    static ObjectNode split(V1 old) {
      var names = old.owner().split(" ", 2);
      return new PayloadMapper()
          .jackson()
          .createObjectNode()
          .put("first", names[0])
          .put("last", names[1]);
    }

    @Upcaster(from = 2)
    static V3 withoutLimit(ObjectNode old) {
      return new V3(old.get("first").asText(), old.get("last").asText(), "0");
    }

    @Upcaster(from = 3)
    static Opened countedLimit(V3 old) {
      return new Opened(old.first(), old.last(), Integer.parseInt(old.limit()));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1 | {\"owner\":\"Ada Lovelace\"} | 0",
        "2 | {\"first\":\"Ada\",\"last\":\"Lovelace\"} | 0",
        "3 | {\"first\":\"Ada\",\"last\":\"Lovelace\",\"limit\":\"7\"} | 7",
        "4 | {\"first\":\"Ada\",\"last\":\"Lovelace\",\"limit\":7} | 7",
      })
  void a_payload_of_every_version_becomes_the_present_record(int version, String json, int limit) {
    var type = mapper.typeOf(Opened.class);
    assertThat(type.version()).isEqualTo(4);
    assertThat(type.read(new Json(json), version)).isEqualTo(new Opened("Ada", "Lovelace", limit));
  }

  @Test
  void a_newer_version_is_for_another_instance() {
    assertThatThrownBy(() -> mapper.typeOf(Opened.class).read(Json.EMPTY_OBJECT, 5))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.NO_HANDLER);
              assertThat(told.detail()).contains("version 5", "up to version 4");
            });
  }

  @Test
  void an_old_payload_that_is_not_of_the_old_shape_names_its_field() {
    assertThatThrownBy(() -> mapper.typeOf(Opened.class).read(new Json("{\"owner\":5}"), 1))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> assertThat(told.violations().get(0).pointer()).isEqualTo("/owner"));
    assertThatThrownBy(() -> mapper.typeOf(Opened.class).read(new Json("[]"), 2))
        .hasMessageContaining("must be a JSON object");
  }

  @PayloadVersion(3)
  record Gap(String a) {
    @Upcaster(from = 2)
    static ObjectNode lift(ObjectNode old) {
      return old;
    }
  }

  record Unraised(String a) {
    @Upcaster(from = 1)
    static ObjectNode lift(ObjectNode old) {
      return old;
    }
  }

  @PayloadVersion(2)
  record Twice(String a) {
    @Upcaster(from = 1)
    static ObjectNode one(ObjectNode old) {
      return old;
    }

    @Upcaster(from = 1)
    static ObjectNode other(ObjectNode old) {
      return old;
    }
  }

  @PayloadVersion(2)
  record NotStatic(String a) {
    @Upcaster(from = 1)
    ObjectNode lift(ObjectNode old) {
      return old;
    }
  }

  @PayloadVersion(2)
  record TakesText(String a) {
    @Upcaster(from = 1)
    static ObjectNode lift(String old) {
      throw new IllegalStateException(old);
    }
  }

  @PayloadVersion(2)
  record GivesOther(String a) {
    record V1(String b) {}

    @Upcaster(from = 1)
    static V1 lift(V1 old) {
      return old;
    }
  }

  @PayloadVersion(0)
  record Zero(String a) {}

  @Test
  void what_could_not_read_all_that_is_stored_does_not_start() {
    assertRefused(Gap.class, "Gap is at version 3, but has no @Upcaster(from = 1)");
    assertRefused(Unraised.class, "raise its @PayloadVersion to 2");
    assertRefused(Twice.class, "two upcasters take version 1 of Twice");
    assertRefused(NotStatic.class, "NotStatic.lift is an @Upcaster: it must be static");
    assertRefused(TakesText.class, "it must take an ObjectNode, or a record of the old shape");
    assertRefused(GivesOther.class, "as what comes next takes it, a GivesOther");
    assertRefused(Zero.class, "must be 1 to 10000");
  }

  private void assertRefused(Class<?> type, String sentence) {
    assertThatThrownBy(() -> mapper.typeOf(type))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining(sentence);
  }

  sealed interface Family permits Present, Present.V1 {}

  @PayloadVersion(2)
  record Present(String a) implements Family {
    record V1(String b) implements Family {}

    @Upcaster(from = 1)
    static Present lift(V1 old) {
      return new Present(old.b());
    }
  }

  @Test
  void a_sealed_interface_holds_present_versions_only() {
    assertThatThrownBy(() -> SealedTypes.expand(Family.class, "Family"))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining("V1 is a former version of Present")
        .hasMessageContaining("take it out");
  }
}
