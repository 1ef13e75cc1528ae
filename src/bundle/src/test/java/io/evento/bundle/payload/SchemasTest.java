package io.evento.bundle.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.evento.bundle.api.InvalidBundleException;
import java.io.InputStream;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.Year;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class SchemasTest {
  enum Kind {
    A,
    B
  }

  record Flat(
      String text,
      int count,
      Long perhaps,
      double part,
      BigDecimal money,
      boolean yes,
      UUID id,
      Instant at,
      Kind kind,
      byte[] blob) {}

  record Point(int x, int y) {}

  record Shape(List<Point> points, Map<String, Point> named, Set<String> tags, int[] counts) {}

  record Tree(String name, List<Tree> children) {}

  record Forest(Tree first) {}

  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
  @JsonSubTypes({@JsonSubTypes.Type(Told.class)})
  sealed interface Tagged permits Told {}

  record Told(int x) implements Tagged {}

  sealed interface Untold permits Other {}

  record Other(int x) implements Untold {}

  record HasTagged(Tagged value) {}

  record HasUntold(Untold value) {}

  record HasStream(InputStream value) {}

  record HasOptional(Optional<String> value) {}

  record HasYear(List<Year> value) {}

  record HasThread(Thread value) {}

  private static String schema(Type type) {
    return new Schemas(new PayloadMapper()).of(type).text();
  }

  @Test
  void a_record_is_an_object_whose_primitives_are_required() {
    assertThat(schema(Flat.class))
        .isEqualTo(
            "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"},"
                + "\"count\":{\"type\":\"integer\"},\"perhaps\":{\"type\":\"integer\"},"
                + "\"part\":{\"type\":\"number\"},\"money\":{\"type\":\"number\"},"
                + "\"yes\":{\"type\":\"boolean\"},"
                + "\"id\":{\"type\":\"string\",\"format\":\"uuid\"},"
                + "\"at\":{\"type\":\"string\",\"format\":\"date-time\"},"
                + "\"kind\":{\"enum\":[\"A\",\"B\"]},"
                + "\"blob\":{\"type\":\"string\",\"contentEncoding\":\"base64\"}},"
                + "\"required\":[\"count\",\"part\",\"yes\"]}");
  }

  @Test
  void nested_records_stand_once_in_the_definitions() {
    assertThat(schema(Shape.class))
        .contains("\"points\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/Point\"}}")
        .contains("\"additionalProperties\":{\"$ref\":\"#/$defs/Point\"}")
        .contains("\"counts\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}")
        .containsOnlyOnce("\"$defs\":{\"Point\":{\"type\":\"object\"");
  }

  @Test
  void a_record_may_contain_itself() {
    assertThat(schema(Tree.class)).contains("\"items\":{\"$ref\":\"#\"}");
    assertThat(schema(Forest.class)).contains("\"items\":{\"$ref\":\"#/$defs/Tree\"}");
  }

  @Test
  void subtypes_that_jackson_can_tell_apart_are_allowed() {
    assertThat(schema(HasTagged.class)).contains("\"value\":{}");
  }

  @Test
  void what_cannot_be_read_back_is_refused_by_its_place() {
    assertRefused(HasUntold.class, "HasUntold.value", "@JsonTypeInfo");
    assertRefused(HasStream.class, "HasStream.value", "cannot be read back");
    assertRefused(HasOptional.class, "HasOptional.value", "@Nullable");
    assertRefused(HasYear.class, "HasYear.value", "java.time.Year");
    assertRefused(HasThread.class, "HasThread.value", "java.lang.Thread");
  }

  private static void assertRefused(Class<?> type, String place, String advice) {
    assertThatThrownBy(() -> schema(type))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining(place)
        .hasMessageContaining(advice);
  }

  @Test
  void another_shape_has_another_fingerprint() {
    var mapper = new PayloadMapper();
    var one = Schemas.fingerprint(mapper.typeOf(Point.class).schema());
    assertThat(one).hasSize(16).isEqualTo(Schemas.fingerprint(mapper.typeOf(Point.class).schema()));
    assertThat(Schemas.fingerprint(mapper.typeOf(Other.class).schema())).isNotEqualTo(one);
  }
}
