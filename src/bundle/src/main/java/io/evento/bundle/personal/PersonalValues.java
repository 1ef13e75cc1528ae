package io.evento.bundle.personal;

import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Names;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What is personal in the payloads of one type: encrypts and reads it. Thread-safe. */
public final class PersonalValues {
  private static final String NULL = "null";

  private final String type;
  private final SubjectKeys keys;
  private final List<Part> parts;
  private final List<List<String>> paths;
  private final Map<String, Part> byPointer;

  /**
   * A personal component.
   *
   * @param path to it in JSON: names of properties, or empty for each element of a list or map
   * @param subject path to the id of its subject; null for the aggregate that the payload is of
   * @param erased what is read instead, as JSON
   */
  public record Part(List<String> path, @Nullable List<String> subject, String erased) {
    /** A JSON pointer, with {@code *} for each element. */
    public String pointer() {
      return path.stream().map(step -> "/" + shown(step)).collect(Collectors.joining());
    }

    /** The parts of a JSON pointer. */
    public static List<String> steps(String pointer) {
      return Arrays.stream(pointer.substring(1).split("/", -1))
          .map(step -> step.replace("~1", "/").replace("~0", "~"))
          .toList();
    }

    /** Whether a place is that of the value, or in it. */
    public boolean covers(List<String> place) {
      if (place.size() < path.size()) {
        return false;
      }
      for (var i = 0; i < path.size(); i++) {
        if (!path.get(i).equals(JsonPlaces.EACH) && !path.get(i).equals(place.get(i))) {
          return false;
        }
      }
      return true;
    }

    private static String shown(String step) {
      return step.equals(JsonPlaces.EACH) ? "*" : step.replace("~", "~0").replace("/", "~1");
    }
  }

  /**
   * @param type name of the payload's type
   */
  public PersonalValues(String type, List<Part> parts, SubjectKeys keys) {
    this.type = type;
    this.keys = keys;
    this.parts = List.copyOf(parts);
    this.paths = parts.stream().map(Part::path).toList();
    this.byPointer = parts.stream().collect(Collectors.toMap(Part::pointer, Function.identity()));
  }

  public boolean isEmpty() {
    return parts.isEmpty();
  }

  public List<Part> parts() {
    return parts;
  }

  /** Whether one of them has the aggregate as its subject. */
  public boolean areOfAggregate() {
    return parts.stream().anyMatch(part -> part.subject == null);
  }

  /**
   * Encrypts what is personal and not null.
   *
   * @param aggregate id of the aggregate that the payload is of; null for none
   * @throws EventoException {@code invalid-request} if it is of a subject that was erased, or of
   *     nobody
   */
  public Json seal(Json payload, @Nullable String aggregate) {
    if (parts.isEmpty()) {
      return payload;
    }
    var text = payload.text();
    return new Json(
        JsonPlaces.replace(
            text,
            paths,
            (path, pointer, value) ->
                value.equals(NULL)
                    ? null
                    : hidden(parts.get(path), text, aggregate, pointer, value)));
  }

  private String hidden(
      Part part, String payload, @Nullable String aggregate, String pointer, String value) {
    var id = subject(part, payload, aggregate);
    if (id.isEmpty() || id.get().isEmpty()) {
      throw EventoException.invalid(pointer, "is personal, and " + said(part) + " says of whom");
    }
    // By a longer one it could not be erased.
    var subject =
        Subjects.hash(Names.checkAggregateId(pointer + " has a subject, which", id.get()));
    var ring = keys.findOrMake(subject, type);
    if (!ring.isEmpty()) {
      return SealedValue.seal(new SealedValue.Place(type, pointer), subject, ring, value).json();
    }
    if (!value.equals(part.erased)) {
      throw EventoException.invalid(
          pointer, "is of a subject that was erased: nothing new is written of it");
    }
    return SealedValue.erased(subject).json();
  }

  private static String said(Part part) {
    return part.subject == null ? "no aggregate" : "nothing at /" + String.join("/", part.subject);
  }

  private static Optional<String> subject(Part part, String payload, @Nullable String aggregate) {
    return part.subject == null
        ? Optional.ofNullable(aggregate)
        : JsonPlaces.text(payload, part.subject);
  }

  /**
   * Reads what {@link #seal} wrote. A value in the clear stays as it is: it was written before its
   * component became personal.
   *
   * @param aggregate as it was written with; null if that is not known here
   * @throws MissingKeyException if a key is missing
   * @throws IllegalStateException if something was not written there
   */
  public Json open(Json payload, @Nullable String aggregate) {
    if (parts.isEmpty() || !Subjects.areIn(payload)) {
      return payload;
    }
    var text = payload.text();
    keys.prepare(Subjects.in(payload));
    return new Json(
        JsonPlaces.replace(
            text,
            paths,
            (path, pointer, value) ->
                SealedValue.read(value)
                    .map(hidden -> opened(parts.get(path), text, aggregate, pointer, hidden))
                    .orElse(null)));
  }

  private String opened(
      Part part, String payload, @Nullable String aggregate, String pointer, SealedValue hidden) {
    var id = subject(part, payload, aggregate);
    if (id.isPresent() ? !Subjects.hash(id.get()).equals(hidden.subject()) : part.subject != null) {
      throw new IllegalStateException(
          "what stands at " + pointer + " of a " + type + " is of another subject than it says");
    }
    return opened(pointer, hidden, part.erased);
  }

  private String opened(String pointer, SealedValue hidden, String erased) {
    if (hidden.key() == SealedValue.ERASED) {
      return erased;
    }
    var ring = keys.find(hidden.subject(), hidden.key());
    if (ring.isErased()) {
      return erased;
    }
    var key =
        ring.key(hidden.key())
            .orElseThrow(
                () -> new MissingKeyException(type, pointer, hidden.subject(), hidden.key()));
    return hidden.open(new SealedValue.Place(type, pointer), key);
  }

  /**
   * The same for a payload of an older version, whose personal components may have been at other
   * places: whatever is encrypted is read. Where the present version has none, the placeholder is
   * the text {@code [erased]}.
   */
  public Json openFormer(Json payload) {
    if (!Subjects.areIn(payload)) {
      return payload;
    }
    keys.prepare(Subjects.in(payload));
    return new Json(
        JsonPlaces.replaceObjects(
            payload.text(),
            (path, pointer, value) ->
                SealedValue.read(value)
                    .map(hidden -> opened(pointer, hidden, former(pointer)))
                    .orElse(null)));
  }

  private String former(String pointer) {
    var part = byPointer.get(pointer);
    return part == null ? "\"[erased]\"" : part.erased;
  }

  /** The payload as it reads when all its subjects are erased. */
  public Json erased(Json payload) {
    return new Json(
        JsonPlaces.replace(
            payload.text(),
            paths,
            (path, pointer, value) -> value.equals(NULL) ? null : parts.get(path).erased));
  }
}
