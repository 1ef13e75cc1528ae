package io.evento.server.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class SchemaTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private static final String ORDER =
      """
      {"type":"object","required":["amount"],"properties":{
        "amount":{"type":"integer","minimum":1},
        "note":{"type":"string","maxLength":5},
        "size":{"enum":["S","M"]},
        "owner":{"$ref":"#/$defs/Person"},
        "lines":{"type":"array","items":{"$ref":"#/$defs/Line"}}},
       "$defs":{
        "Person":{"type":"object","properties":{"name":{"type":"string","x-evento-personal":{"subject":"id"}},"friend":{"$ref":"#/$defs/Person"}}},
        "Line":{"type":"object","required":["sku"],"properties":{"sku":{"type":"string"}}}}}
      """;

  private static JsonNode json(String text) {
    try {
      return MAPPER.readTree(text);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  @Test
  void an_optional_property_more_is_compatible() {
    assertThat(
            changes(
                "{'properties':{'a':{'type':'string'}}}",
                "{'properties':{'a':{'type':'string'},'b':{'type':'string'}}}"))
        .containsExactly(new SchemaChange("/b", "is new and optional", false));
  }

  @Test
  void a_property_that_is_gone_or_newly_required_breaks() {
    assertThat(
            changes("{'properties':{'a':{},'b':{}}}", "{'properties':{'b':{}},'required':['b']}"))
        .containsExactly(
            new SchemaChange("/a", "is gone", true),
            new SchemaChange("/b", "is required, was optional", true));
  }

  @Test
  void a_wider_type_is_compatible_and_a_narrower_one_breaks() {
    assertThat(
            changes(
                "{'properties':{'a':{'type':'integer'}}}",
                "{'properties':{'a':{'type':'number'}}}"))
        .containsExactly(new SchemaChange("/a", "is number, was integer", false));
    assertThat(
            changes(
                "{'properties':{'a':{'type':'number'}}}",
                "{'properties':{'a':{'type':'integer'}}}"))
        .containsExactly(new SchemaChange("/a", "is integer, was number", true));
  }

  @Test
  void a_choice_less_breaks_and_one_more_does_not() {
    assertThat(changes("{'enum':['S','M']}", "{'enum':['M','L']}"))
        .containsExactly(
            new SchemaChange("", "takes \"S\" no more", true),
            new SchemaChange("", "takes \"L\" too", false));
  }

  @Test
  void a_change_behind_a_reference_is_found_and_a_record_that_holds_itself_ends() {
    assertThat(
            SchemaChange.between(
                json(ORDER),
                json(
                    ORDER.replace(
                        "\"sku\":{\"type\":\"string\"}", "\"sku\":{\"type\":\"integer\"}"))))
        .containsExactly(new SchemaChange("/lines/*/sku", "is integer, was string", true));
  }

  private static List<SchemaChange> changes(String before, String after) {
    return SchemaChange.between(json(before.replace('\'', '"')), json(after.replace('\'', '"')));
  }

  @Test
  void a_value_that_fits_has_no_faults() {
    assertThat(
            SchemaCheck.check(
                json(ORDER),
                json(
                    "{\"amount\":2,\"note\":null,\"size\":\"S\",\"owner\":{\"name\":\"Ada\"},\"lines\":[{\"sku\":\"a\"}]}")))
        .isEmpty();
  }

  @Test
  void each_fault_says_where_it_is() {
    assertThat(
            SchemaCheck.check(
                json(ORDER),
                json(
                    "{\"note\":\"too"
                        + " long\",\"size\":\"XL\",\"owner\":{\"name\":7},\"lines\":[{}],\"other\":1}")))
        .containsExactlyInAnyOrder(
            new SchemaCheck.Fault("/amount", "is required"),
            new SchemaCheck.Fault("/note", "must have at most 5 characters"),
            new SchemaCheck.Fault("/size", "must be one of S, M"),
            new SchemaCheck.Fault("/owner/name", "must be string"),
            new SchemaCheck.Fault("/lines/0/sku", "is required"),
            new SchemaCheck.Fault("/other", "is no property of it"));
  }

  @Test
  void a_number_below_its_limit_and_one_with_a_fraction_are_faults() {
    assertThat(SchemaCheck.check(json(ORDER), json("{\"amount\":0}")))
        .containsExactly(new SchemaCheck.Fault("/amount", "must be at least 1"));
    assertThat(SchemaCheck.check(json(ORDER), json("{\"amount\":1.5}")))
        .containsExactly(new SchemaCheck.Fault("/amount", "must be integer"));
    assertThat(SchemaCheck.check(json(ORDER), json("{\"amount\":2.0}"))).isEmpty();
  }

  @Test
  void what_is_encrypted_fits_where_something_personal_belongs_and_nowhere_else() {
    var schema =
        json(
            "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"x-evento-personal\":{\"subject\":\"id\"}},\"city\":{\"type\":\"string\"}}}");
    assertThat(SchemaCheck.check(schema, json("{\"name\":{\"$p\":1}}"))).isEmpty();
    assertThat(SchemaCheck.check(schema, json("{\"city\":{\"$p\":1}}")))
        .containsExactly(new SchemaCheck.Fault("/city", "must be string"));
  }

  @Test
  void what_is_personal_is_hidden_at_any_depth() {
    assertThat(
            PersonalMask.hide(
                json(ORDER),
                json("{\"amount\":2,\"owner\":{\"name\":\"Ada\",\"friend\":{\"name\":\"Bob\"}}}")))
        .isEqualTo(
            json("{\"amount\":2,\"owner\":{\"name\":\"•••\",\"friend\":{\"name\":\"•••\"}}}"));
  }
}
