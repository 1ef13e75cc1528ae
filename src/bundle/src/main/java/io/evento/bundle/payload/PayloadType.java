package io.evento.bundle.payload;

import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.TypeName;
import io.evento.bundle.personal.PersonalValues;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Names;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A record that travels: its name, its schema, its reader and writer. Thread-safe. */
public final class PayloadType {
  /** So many values of a type of which each is known to come back are read back all the same. */
  private static final int VERIFIED_FIRST = 100;

  /** What whole numbers fit into, by type. */
  private static final Map<Class<?>, String> WHOLE_BITS =
      Map.of(
          byte.class, "8 bits",
          Byte.class, "8 bits",
          short.class, "16 bits",
          Short.class, "16 bits",
          int.class, "32 bits",
          Integer.class, "32 bits",
          long.class, "64 bits",
          Long.class, "64 bits");

  private final Class<?> type;
  private final String name;
  private final Json schema;
  private final Json requestSchema;
  private final Json shape;
  private final boolean isCertain;
  private final ObjectReader reader;
  private final ObjectWriter writer;
  private final @Nullable String idProperty;
  private final @Nullable MethodHandle idAccessor;
  private final Upcasters upcasters;
  private final Tags tags;
  private final PersonalValues personal;
  private final RequestRules requestRules;

  /** How many values are still read back although the type is certain. */
  private final AtomicInteger toVerify = new AtomicInteger(VERIFIED_FIRST);

  private PayloadType(Class<?> type, PayloadMapper mapper) {
    this.type = type;
    this.name = nameOf(type);
    var schemas = new Schemas(mapper);
    this.schema = schemas.ofPayload(type);
    this.requestSchema = new Schemas(mapper).ofRequest(type);
    this.requestRules = mapper.requestRules();
    this.shape = mapper.write(List.of(name, schema, schemas.classes()));
    this.isCertain = schemas.isCertain();
    this.reader = mapper.jackson().readerFor(type);
    this.writer = mapper.jackson().writerFor(type);
    var id = idComponent(type);
    this.idProperty = id == null ? null : property(id, mapper);
    this.idAccessor = id == null ? null : accessor(id);
    this.upcasters = Upcasters.of(type, mapper);
    this.tags = Tags.of(type, mapper);
    this.personal = new PersonalValues(name, PersonalComponents.of(type, mapper), mapper.keys());
    new Samples(mapper.jackson()).of(type).forEach(this::checkSample);
  }

  /** What a component is called in JSON, which is what a node looks for. */
  static String property(RecordComponent component, PayloadMapper mapper) {
    var type = mapper.jackson().constructType(component.getDeclaringRecord());
    var name = JsonNames.of(type, mapper.jackson()).written(component.getName());
    if (name == null) {
      throw new InvalidBundleException(
          component.getDeclaringRecord().getSimpleName()
              + "."
              + component.getName()
              + " is not written to JSON under a name of its own, where nodes look for it: take the"
              + " annotation away that says so");
    }
    return name;
  }

  private void checkSample(Object sample) {
    Json json;
    try {
      json = PayloadMapper.write(writer, sample, "a " + name);
    } catch (UnwritablePayloadException unfit) {
      // Its methods may want other values than were made up; a real one is seen when it is written.
      return;
    }
    try {
      verify(sample, json);
    } catch (UnwritablePayloadException lost) {
      throw new InvalidBundleException(
          type.getName()
              + " would not be read back from JSON as it was written, seen with "
              + sample
              + ": "
              + lost.getMessage(),
          lost);
    }
    checkErased(json);
  }

  /** What cannot be read once its subject is erased would stop whoever meets it then. */
  private void checkErased(Json sample) {
    try {
      plain(personal.erased(sample));
    } catch (EventoException refused) {
      throw new InvalidBundleException(
          type.getName()
              + " could not be read once a subject of it is erased: "
              + refused.detail().strip()
              + "; give its @Personal components an erased = \"…\" that its constructor takes",
          refused);
    }
  }

  static PayloadType of(Class<?> type, PayloadMapper mapper) {
    if (!type.isRecord()) {
      throw new InvalidBundleException(
          type.getName()
              + " must be a record: commands, events, queries and states are, so that they are"
              + " immutable and have a schema"
              + Kotlin.hint(type));
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
              + " "
              + broken.detail()
              + "; give another with @TypeName(\"…\")",
          broken);
    }
  }

  private static @Nullable RecordComponent idComponent(Class<?> type) {
    var marked =
        Arrays.stream(type.getRecordComponents())
            .filter(component -> Marks.has(component, AggregateId.class))
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

  /** The schema of a command or query, which must have all that is not {@code @Nullable}. */
  public Json requestSchema() {
    return requestSchema;
  }

  /**
   * Names the shape of a state and its revision. States under one name can be read by each other:
   * it tells apart whatever the schema does, and the classes that components are made of, with
   * their arguments, constants and subtypes.
   *
   * @param revision raised by the author where the same shape means something else
   */
  public String fingerprint(int revision) {
    return Schemas.fingerprint(new Json("[" + revision + "," + shape.text() + "]"));
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

  /** What is personal in it, perhaps nothing. */
  public PersonalValues personal() {
    return personal;
  }

  /**
   * An event as it is told to a node.
   *
   * @param aggregate id of the aggregate or boundary that it is of
   */
  public NewEvent newEvent(Object event, String aggregate) {
    return new NewEvent(name, version(), tags(event), write(event, aggregate));
  }

  /**
   * Writes a payload, and reads it back where that is not known to work: what is found out only
   * after it was stored is lost. Values of a type that holds something open, such as an {@code
   * Object}, an interface, or what an annotation of Jackson translates, are read back each time; of
   * the other types only the first ones, as what could go wrong with them is in the type. What is
   * personal is encrypted.
   *
   * @throws UnwritablePayloadException if it would not be read as it is
   * @throws EventoException as {@link PersonalValues#seal}
   */
  public Json write(Object payload) {
    return write(payload, aggregateId(payload));
  }

  /**
   * The same.
   *
   * @param aggregate id of the aggregate that the payload is of; null for none
   */
  public Json write(Object payload, @Nullable String aggregate) {
    return personal.seal(writePlain(payload), aggregate);
  }

  /** The same with what is personal in the clear: not to be sent or kept. */
  public Json writePlain(Object payload) {
    var json = PayloadMapper.write(writer, payload, "a " + name);
    if (!isCertain || (toVerify.get() > 0 && toVerify.getAndDecrement() > 0)) {
      verify(payload, json);
    }
    return json;
  }

  private void verify(Object payload, Json json) {
    Object back;
    try {
      back = plain(json);
    } catch (EventoException unreadable) {
      var broken = unreadable.violations().isEmpty() ? null : unreadable.violations().get(0);
      throw new UnwritablePayloadException(
          "a " + name,
          broken == null ? "" : broken.pointer(),
          "could not be read back, as it "
              + (broken == null ? unreadable.detail() : broken.rule()));
    }
    var difference = Sameness.difference(payload, back);
    if (difference != null) {
      throw new UnwritablePayloadException(
          "a " + name,
          "",
          "would be read back as another value: "
              + type.getSimpleName()
              + difference
              + " is not what it was; give it a type that JSON keeps");
    }
  }

  /**
   * @throws EventoException {@code invalid-request} that points to the field
   * @throws IllegalStateException as {@link PersonalValues#open}
   */
  public Object read(Json json) {
    return read(json, null);
  }

  /**
   * The same.
   *
   * @param aggregate id of the aggregate that the payload is of; null where that is not known
   */
  public Object read(Json json, @Nullable String aggregate) {
    return plain(personal.open(json, aggregate));
  }

  /**
   * Reads a command or query, which may have no field that is not known and must have all that is
   * not {@code @Nullable}.
   *
   * @param aggregate id of the aggregate that it is for; null where that is not known
   * @throws EventoException {@code invalid-request} that points to the field
   */
  public Object readRequest(Json json, @Nullable String aggregate) {
    var opened = personal.open(json, aggregate);
    return requestRules.read(type, opened, this::plain);
  }

  /**
   * The same of any version up to the present one; an older one is lifted first.
   *
   * @param version that it was written in
   */
  public Object readRequest(Json json, int version) {
    return version == upcasters.version() ? readRequest(json, null) : read(json, version, null);
  }

  private Object plain(Json json) {
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
   * @param aggregate id of the aggregate that the payload is of; null where that is not known
   * @throws EventoException {@code no-handler} if it is of a newer version than is known here, so
   *     that an instance of a newer release has to take it; {@code invalid-request} as {@link
   *     #read(Json)}
   */
  public Object read(Json json, int version, @Nullable String aggregate) {
    if (version == upcasters.version()) {
      return read(json, aggregate);
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
    var lifted = upcasters.lift(personal.openFormer(json), version);
    return type.isInstance(lifted) ? lifted : plain(upcasters.text(lifted));
  }

  /** The same, where nobody knows the aggregate. */
  public Object read(Json json, int version) {
    return read(json, version, null);
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
      var bits = WHOLE_BITS.get(type);
      if (bits != null) {
        return "a whole number that fits " + bits;
      }
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
