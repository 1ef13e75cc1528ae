package io.evento.protocol;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import java.io.IOException;

/**
 * Reads a whole number that is written as a string, as a JavaScript number loses bits above 2^53.
 */
final class Digits extends StdScalarDeserializer<Long> {
  private static final long serialVersionUID = 1L;

  Digits() {
    super(Long.class);
  }

  @Override
  public Long deserialize(JsonParser from, DeserializationContext context) throws IOException {
    if (from.currentToken() != JsonToken.VALUE_STRING) {
      return (Long) context.handleUnexpectedToken(Long.class, from);
    }
    try {
      return Long.parseLong(from.getText());
    } catch (NumberFormatException malformed) {
      return (Long) context.handleWeirdStringValue(Long.class, from.getText(), "decimal digits");
    }
  }

  /** As of any number that is not there. */
  @Override
  public Long getAbsentValue(DeserializationContext context) {
    return 0L;
  }

  @Override
  public Long getNullValue(DeserializationContext context) {
    return 0L;
  }
}
