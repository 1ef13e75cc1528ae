package io.evento.server.gateway.live;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.protocol.Json;

/**
 * What a topic was at one look, and what had changed since the look before.
 *
 * @param version rises with each change
 * @param patch from the version before, as RFC 7386 has it
 */
record TopicState(long version, String whole, String patch, JsonNode tree) {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String NONE = "{}";

  static final TopicState UNKNOWN = new TopicState(0, NONE, NONE, MAPPER.createObjectNode());

  /** The state after another look; this one if nothing changed. */
  TopicState next(Json seen) {
    if (version > 0 && seen.text().equals(whole)) {
      return this;
    }
    try {
      var now = MAPPER.readTree(seen.text());
      var change = version == 0 ? now : patch(tree, now);
      return change.isObject() && change.isEmpty() && version > 0
          ? this
          : new TopicState(version + 1, seen.text(), MAPPER.writeValueAsString(change), now);
    } catch (JsonProcessingException malformed) {
      throw new IllegalStateException("a topic said no JSON", malformed);
    }
  }

  /** RFC 7386: members that went are null, and what is no object is told whole. */
  private static JsonNode patch(JsonNode before, JsonNode now) {
    if (!(before instanceof ObjectNode old) || !(now instanceof ObjectNode fresh)) {
      return now;
    }
    var changed = MAPPER.createObjectNode();
    old.fieldNames()
        .forEachRemaining(
            name -> {
              if (!fresh.has(name)) {
                changed.putNull(name);
              }
            });
    fresh
        .fields()
        .forEachRemaining(
            member -> {
              var was = old.get(member.getKey());
              if (!member.getValue().equals(was)) {
                changed.set(
                    member.getKey(),
                    was == null ? member.getValue() : patch(was, member.getValue()));
              }
            });
    return changed;
  }
}
