package io.evento.protocol;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import java.io.IOException;
import java.util.UUID;

/** Reads UUIDs in their one form of 36 characters; Jackson's own reader knows others. */
final class UuidReader extends StdScalarDeserializer<UUID> {
  private static final long serialVersionUID = 1L;
  private static final int LENGTH = 36;

  UuidReader() {
    super(UUID.class);
  }

  @Override
  public UUID deserialize(JsonParser from, DeserializationContext context) throws IOException {
    if (from.currentToken() != JsonToken.VALUE_STRING) {
      return (UUID) context.handleUnexpectedToken(UUID.class, from);
    }
    var text = from.getText();
    try {
      if (text.length() == LENGTH) {
        return UUID.fromString(text);
      }
    } catch (IllegalArgumentException malformed) {
      // Said below.
    }
    return (UUID) context.handleWeirdStringValue(UUID.class, text, "no UUID");
  }
}
