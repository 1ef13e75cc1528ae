package io.evento.protocol;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A payload: one JSON value as text, passed through without being decoded.
 *
 * @param text well-formed JSON without line feeds between its tokens
 */
@JsonSerialize(using = Json.Writer.class)
@JsonDeserialize(using = Json.Reader.class)
public record Json(String text) {
  public static final Json EMPTY_OBJECT = new Json("{}");
  public static final Json NULL = new Json("null");

  /**
   * Objects and lists in each other. Less than what {@link Codec} reads in all, so that whatever
   * was taken alone can be told as a part of any message.
   */
  public static final int DEPTH_MAX = 150;

  /** Name of the reader attribute that holds the text being parsed. */
  static final String SOURCE = "io.evento.source";

  /** Why a payload is refused whose depth is above the limit. */
  public static EventoException tooDeep(String pointer) {
    return EventoException.invalid(pointer, "must be nested at most " + DEPTH_MAX + " deep");
  }

  @Override
  public String toString() {
    return text;
  }

  static final class Writer extends JsonSerializer<Json> {
    @Override
    public void serialize(Json value, JsonGenerator to, SerializerProvider context)
        throws IOException {
      to.writeRawValue(value.text);
    }
  }

  /** Cuts the value out of the source instead of decoding it; its syntax is still checked. */
  static final class Reader extends JsonDeserializer<Json> {
    @Override
    public Json deserialize(JsonParser from, DeserializationContext context) throws IOException {
      var source = (String) context.getAttribute(SOURCE);
      if (source == null) {
        throw new IllegalStateException("payloads are read through Codec only");
      }
      var start = (int) from.currentTokenLocation().getCharOffset();
      skip(from);
      from.finishToken();
      var end = (int) from.currentLocation().getCharOffset();
      return new Json(source.substring(start, end));
    }

    private static void skip(JsonParser from) throws IOException {
      var open = 0;
      for (var token = from.currentToken(); token != null; token = from.nextToken()) {
        if (token.isStructStart() && ++open > DEPTH_MAX) {
          throw tooDeep(pointer(from, open));
        }
        if (token.isStructEnd()) {
          open--;
        }
        if (open == 0) {
          return;
        }
      }
    }

    private static String pointer(JsonParser from, int levelsUp) {
      var context = from.getParsingContext();
      for (var level = 0; level < levelsUp; level++) {
        context = context.getParent();
      }
      return context.pathAsPointer().toString();
    }

    /** What is not there stays absent; only a written null is the payload null. */
    @Override
    public @Nullable Object getAbsentValue(DeserializationContext context) {
      return null;
    }

    @Override
    public Json getNullValue(DeserializationContext context) {
      return NULL;
    }
  }
}
