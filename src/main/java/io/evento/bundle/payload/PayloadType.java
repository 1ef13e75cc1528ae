package io.evento.bundle.payload;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import io.evento.bundle.AggregateId;
import io.evento.bundle.InvalidBundleException;
import io.evento.bundle.TypeName;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message.NewEvent;
import io.evento.protocol.Names;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A record that travels: its name, its schema, its reader and writer. Thread-safe. */
public final class PayloadType {
  private final Class<?> type;
  private final String name;
  private final Json schema;
  private final ObjectReader reader;
  private final ObjectWriter writer;
  private final @Nullable String idProperty;
  private final @Nullable MethodHandle idAccessor;
  private final Upcasters upcasters;
  private final Tags tags;

  private PayloadType(Class<?> type, PayloadMapper mapper) {
    this.type = type;
    this.name = nameOf(type);
    this.schema = new Schemas(mapper).of(type);
    this.reader = mapper.jackson().readerFor(type);
    this.writer = mapper.jackson().writerFor(type);
    var id = idComponent(type);
    this.idProperty = id == null ? null : id.getName();
    this.idAccessor = id == null ? null : accessor(id);
    this.upcasters = Upcasters.of(type, mapper);
    this.tags = Tags.of(type);
  }

  static PayloadType of(Class<?> type, PayloadMapper mapper) {
    if (!type.isRecord()) {
      throw new InvalidBundleException(
          type.getName()
              + " must be a record: commands, events, queries and states are, so that they are"
              + " immutable and have a schema");
    }
    return new PayloadType(type, mapper);
  }

  /**
   * The name on the wire of a payload or component.
   *
   * @throws InvalidBundleException if it breaks the rules for names
   */
  public static String nameOf(Class<?> type) {
    var given = type.getAnnotation(TypeName.class);
    var name = given == null ? type.getSimpleName() : given.value();
    try {
      return Names.checkType("", name);
    } catch (EventoException broken) {
      throw new InvalidBundleException(
          "the name \""
              + name
              + "\" of "
              + type.getName()
              + broken.detail()
              + "; give another with @TypeName(\"…\")",
          broken);
    }
  }

  private static @Nullable RecordComponent idComponent(Class<?> type) {
    var marked =
        Arrays.stream(type.getRecordComponents())
            .filter(component -> component.isAnnotationPresent(AggregateId.class))
            .toList();
    if (marked.isEmpty()) {
      return null;
    }
    var id = marked.get(0);
    if (marked.size() > 1) {
      throw new InvalidBundleException(
          type.getName() + " has more than one @AggregateId; leave it on one component");
    }
    if (id.getType() != String.class && id.getType() != UUID.class) {
      throw new InvalidBundleException(
          "@AggregateId of " + type.getName() + " must be on a String or UUID");
    }
    return id;
  }

  static MethodHandle accessor(RecordComponent component) {
    try {
      var method = component.getAccessor();
      method.setAccessible(true);
      return MethodHandles.lookup()
          .unreflect(method)
          .asType(MethodType.methodType(Object.class, Object.class));
    } catch (IllegalAccessException hidden) {
      throw new InvalidBundleException(
          component.getDeclaringRecord().getName() + " must be open to the SDK: make it public",
          hidden);
    }
  }

  public Class<?> type() {
    return type;
  }

  public String name() {
    return name;
  }

  public Json schema() {
    return schema;
  }

  /** The version of its shape, 1 and up. */
  public int version() {
    return upcasters.version();
  }

  /** Name of the property that holds the aggregate's id, or null. */
  public @Nullable String idProperty() {
    return idProperty;
  }

  /** The aggregate's id in a command; null if the type has none or this command leaves it out. */
  public @Nullable String aggregateId(Object command) {
    if (idAccessor == null) {
      return null;
    }
    try {
      var id = (Object) idAccessor.invokeExact(command);
      return id == null ? null : id.toString();
    } catch (Throwable failure) {
      throw new IllegalArgumentException("cannot read the id of a " + name, failure);
    }
  }

  /** The property that tells which commands of a boundary may meet, or null. */
  public @Nullable String subjectProperty() {
    return idProperty == null ? tags.firstText() : idProperty;
  }

  /** The value of {@link #subjectProperty()} in a command; null if it has none. */
  public @Nullable String subject(Object command) {
    return idAccessor == null ? tags.firstText(command) : aggregateId(command);
  }

  /** Keys of its tags. */
  public Set<String> tagKeys() {
    return tags.keys();
  }

  /**
   * Its tags, {@code key:value}; perhaps none.
   *
   * @throws IllegalArgumentException if one breaks the rule for tags
   */
  public List<String> tags(Object payload) {
    return tags.of(payload);
  }

  /** An event as it is told to a node. */
  public NewEvent newEvent(Object event) {
    return new NewEvent(name, version(), tags(event), write(event));
  }

  /**
   * @throws IllegalArgumentException if Jackson cannot write it
   */
  public Json write(Object payload) {
    try {
      return new Json(writer.writeValueAsString(payload));
    } catch (JsonProcessingException unfit) {
      throw new IllegalArgumentException(
          "a " + name + " cannot be written as JSON: " + unfit.getOriginalMessage(), unfit);
    }
  }

  /**
   * @throws EventoException {@code invalid-request} that points to the field
   */
  public Object read(Json json) {
    Object payload = PayloadMapper.read(reader, json);
    if (payload == null) {
      throw EventoException.invalid("", "must be a JSON object");
    }
    return payload;
  }

  /**
   * Reads a payload of any version up to the present one.
   *
   * @param version that it was written in
   * @throws EventoException {@code no-handler} if it is of a newer version than is known here, so
   *     that an instance of a newer release has to take it; {@code invalid-request} as {@link
   *     #read(Json)}
   */
  public Object read(Json json, int version) {
    if (version == upcasters.version()) {
      return read(json);
    }
    if (version > upcasters.version()) {
      throw new EventoException(
          ErrorCode.NO_HANDLER,
          "a "
              + name
              + " of version "
              + version
              + " came, this instance knows it up to version "
              + upcasters.version());
    }
    var lifted = upcasters.lift(json, version);
    return type.isInstance(lifted) ? lifted : read(new Json(lifted.toString()));
  }

  /** What a reader wanted, without naming a Java class. */
  static String wanted(Class<?> type) {
    if (type == boolean.class || type == Boolean.class) {
      return "true or false";
    }
    if (type == String.class || type == UUID.class || TimeModule.types().contains(type)) {
      return type == String.class ? "a string" : "a string of the right form";
    }
    if (type.isEnum()) {
      return "one of " + String.join(", ", names(type));
    }
    if (type.isPrimitive() || Number.class.isAssignableFrom(type)) {
      return type == float.class || type == double.class ? "a number" : "a number that fits";
    }
    if (type.isArray() || Iterable.class.isAssignableFrom(type)) {
      return "an array";
    }
    return "an object that fits the schema";
  }

  private static Iterable<String> names(Class<?> type) {
    return Arrays.stream(type.getEnumConstants()).map(constant -> ((Enum<?>) constant).name())
        ::iterator;
  }
}
