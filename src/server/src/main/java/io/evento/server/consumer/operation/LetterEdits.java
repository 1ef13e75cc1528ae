package io.evento.server.consumer.operation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Violation;
import io.evento.server.NodeScoped;
import io.evento.server.catalog.Catalog;
import io.evento.server.catalog.Differences;
import io.evento.server.catalog.PayloadType;
import io.evento.server.catalog.SchemaCheck;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.segment.Association;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.eventstore.RecordedEvents;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.routing.PayloadLimits;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Objects;
import java.util.function.ToIntFunction;

/**
 * Whether an edited payload may take the place of an event's own when a dead letter is tried again:
 * it is what the type declares in the event's version, keeps encrypted what is personal, and leads
 * to the same saga. Blocks on the database.
 */
@NodeScoped
public class LetterEdits {
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          // The one that is looked at would not need to be the one that a bundle reads.
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
          .build();

  private final OrderReader reader;
  private final Catalog catalog;
  private final ToIntFunction<Setting> settings;

  @Inject
  LetterEdits(OrderReader reader, Catalog catalog, Settings settings) {
    this(reader, catalog, settings::get);
  }

  public LetterEdits(OrderReader reader, Catalog catalog, ToIntFunction<Setting> settings) {
    this.reader = reader;
    this.catalog = catalog;
    this.settings = settings;
  }

  /**
   * @return where it differs from the event's own, as {@link Differences} says
   * @throws EventoException {@code invalid-request}, {@code payload-too-large}, or {@code conflict}
   *     if the letter is of no event that is stored
   */
  List<String> check(ConsumerId consumer, DeadLetterOperations.About about, Json payload) {
    if (about.kind() != DeadLetter.Kind.EVENT) {
      throw new EventoException(
          ErrorCode.CONFLICT, "only the payload of an event can be edited, and this is none");
    }
    var event =
        reader
            .next(about.position() - 1)
            .filter(found -> found.position() == about.position())
            .filter(found -> found.commandId().equals(about.command()))
            .orElseThrow(
                () -> new EventoException(ErrorCode.CONFLICT, "the store has lost its event"));
    PayloadLimits.checkSize(payload, settings.applyAsInt(Setting.PAYLOAD_BYTES_MAX));
    var given = tree(payload);
    if (!given.isObject()) {
      throw EventoException.invalid("/payload", "must be a JSON object");
    }
    var own = tree(event.payload());
    var schema =
        catalog
            .schema(PayloadType.Kind.EVENT, event.type(), event.payloadVersion())
            .map(declared -> tree(new Json(declared)));
    var places = Differences.of(schema.orElse(null), own, given);
    if (places.isEmpty()) {
      throw EventoException.invalid("/payload", "must differ from the event's own");
    }
    // Before the schema: what is personal is not said back.
    catalog.refusePersonalEdit(PayloadType.Kind.EVENT, event.type(), own, given);
    schema.ifPresent(declared -> checkSchema(declared, given));
    checkKey(consumer, event, payload);
    return places;
  }

  private static void checkSchema(JsonNode schema, JsonNode given) {
    var faults = SchemaCheck.check(schema, given);
    if (!faults.isEmpty()) {
      var first = faults.get(0);
      throw new EventoException(
          ErrorCode.INVALID_REQUEST,
          "/payload" + first.field() + " " + first.message(),
          faults.stream()
              .map(fault -> new Violation("/payload" + fault.field(), fault.message()))
              .toList(),
          null,
          null,
          null);
    }
  }

  /** A saga of another key has its own state and order. */
  private void checkKey(ConsumerId consumer, RecordedEvent event, Json payload) {
    var consumes =
        catalog
            .consumer(consumer.name(), consumer.version())
            .map(declared -> declared.consumes())
            .orElse(null);
    var pointer = consumes == null ? null : consumes.associations().get(event.type());
    if (pointer != null) {
      var association = new Association(pointer);
      if (!Objects.equals(
          association.key(event), association.key(RecordedEvents.with(event, payload)))) {
        throw EventoException.invalid(
            "/payload" + pointer, "must stay as it is: it says which saga the event belongs to");
      }
    }
  }

  private static JsonNode tree(Json json) {
    try {
      return JSON.readTree(json.text());
    } catch (JsonProcessingException malformed) {
      throw EventoException.invalid("/payload", "must be JSON, each name of an object once");
    }
  }
}
