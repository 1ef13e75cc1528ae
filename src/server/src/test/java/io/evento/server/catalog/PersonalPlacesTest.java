package io.evento.server.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.Json;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where something personal stands in the clear. */
class PersonalPlacesTest {
  private static final String SEALED =
      "{\"$p\":1,\"s\":\"7xK\",\"k\":1,\"v\":\""
          + Base64.getEncoder().encodeToString(new byte[33])
          + "\"}";

  private static final PersonalPlaces PLACES =
      PersonalPlaces.of(
              """
              {"type":"object","properties":{
                 "id":{"type":"string"},
                 "name":{"type":"string","x-evento-personal":{"subject":"/id"}},
                 "home":{"$ref":"#/$defs/Address","x-evento-personal":{"subject":"/id"}},
                 "work":{"$ref":"#/$defs/Address"},
                 "all":{"type":"array","items":{"$ref":"#/$defs/Address"}},
                 "by":{"type":"object","additionalProperties":{"$ref":"#/$defs/Address"}}},
               "$defs":{
                 "Address":{"type":"object","properties":{
                   "street":{"type":"string","x-evento-personal":{"subject":"/id"}},
                   "town":{"type":"string"},
                   "former":{"$ref":"#/$defs/Address"}}},
                 "Round":{"$ref":"#/$defs/Round"}}}
              """)
          .orElseThrow();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'name':'Ada'} | /name",
        "{'name':7} | /name",
        "{'name':{'$p':1,'s':'7xK','k':1,'v':'Ada Lovelace'}} | /name",
        "{'name':{'$p':1,'s':'7xK','k':1,'v':'QWRh'}} | /name",
        "{'name':{'$p':1,'s':'7xK','k':0,'v':'Ada'}} | /name",
        "{'name':{'$p':1,'s':'7xK','k':1,'v':SEALED,'more':'Ada'}} | /name",
        "{'home':{'street':'Long Lane'}} | /home",
        "{'work':{'street':'Long Lane'}} | /work/street",
        "{'all':[{'town':'x'},{'street':'Long Lane'}]} | /all/1/street",
        "{'by':{'a/b':{'street':'Long Lane'}}} | /by/a~1b/street",
        "{'work':{'former':{'former':{'street':'x'}}}} | /work/former/former/street",
      })
  void what_is_plain_is_found_wherever_the_schema_says_that_it_is_personal(
      String payload, String pointer) {
    assertThat(PLACES.plainAt(json(payload))).contains(pointer);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}",
        "{'id':'a','town':'x'}",
        "{'name':null}",
        "{'name':SEALED,'home':SEALED,'work':{'street':SEALED,'town':'London'}}",
        "{'name':{'$p':1,'s':'7xK','k':0,'v':''}}",
        "{'all':[{'street':SEALED},null,7]}",
      })
  void what_is_encrypted_missing_or_not_personal_passes(String payload) {
    assertThat(PLACES.plainAt(json(payload))).isEmpty();
  }

  @Test
  void a_schema_that_is_no_json_or_a_circle_says_nothing() {
    assertThat(PersonalPlaces.of("{")).isEmpty();
    var circle =
        PersonalPlaces.of("{\"$ref\":\"#/$defs/R\",\"$defs\":{\"R\":{\"$ref\":\"#/$defs/R\"}}}");
    assertThat(circle.orElseThrow().plainAt(json("{'name':'Ada'}"))).isEmpty();
  }

  private static Json json(String text) {
    return new Json(text.replace("SEALED", SEALED).replace('\'', '"'));
  }
}
