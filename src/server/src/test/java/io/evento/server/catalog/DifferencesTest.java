package io.evento.server.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

/** Where two payloads differ, as logs and audits may have it. */
class DifferencesTest {
  private static final String SCHEMA =
      "{'properties':{'a':{'type':'integer'},'a/b':{'type':'integer'},'list':{'items':{'$ref':"
          + "'#/$defs/One'}},'map':{'type':'object','additionalProperties':{'$ref':'#/$defs/One'}}},"
          + "'$defs':{'One':{'properties':{'x':{}}}}}";

  private static JsonNode json(String text) throws JsonProcessingException {
    return new ObjectMapper().readTree(text.replace('\'', '"'));
  }

  @Test
  void declared_names_are_told_and_others_are_not() throws JsonProcessingException {
    assertThat(
            Differences.of(
                json(SCHEMA),
                json("{'a':1,'list':[{'x':1},{'x':2}],'map':{'Ada':{'x':1}}}"),
                json(
                    "{'a':2,'a/b':3,'list':[{'x':1},{'x':3,'Bob':1}],'map':{'Ada':{'x':2}},"
                        + "'Eve':1}")))
        .containsExactly("/a", "/list/1/x", "/list/1/*", "/map/*/x", "/a~1b", "/*");
    assertThat(Differences.of(null, json("{'a':1}"), json("{'a':2}"))).containsExactly("/*");
    assertThat(Differences.of(json(SCHEMA), json("[1]"), json("{}"))).containsExactly("/");
    assertThat(Differences.of(json(SCHEMA), json("{'a':1}"), json("{'a':1}"))).isEmpty();
  }

  @Test
  void there_are_few_and_each_is_short() throws JsonProcessingException {
    var many = new StringBuilder("0");
    for (var i = 1; i < 5_000; i++) {
      many.append(',').append(i);
    }

    var places = Differences.of(json(SCHEMA), json("{'list':[]}"), json("{'list':[" + many + "]}"));

    assertThat(places).hasSize(21).startsWith("/list/0").endsWith("and elsewhere");
    var name = "n".repeat(5_000) + "\u2028";
    var schema = "{'properties':{'" + name + "':{}}}";
    assertThat(Differences.of(json(schema), json("{}"), json("{'" + name + "':1}")))
        .singleElement()
        .asString()
        .hasSize(200);
  }
}
