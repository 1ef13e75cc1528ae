package io.evento.bundle.payload;

import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.deser.std.FromStringDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.Period;
import java.time.ZonedDateTime;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** The types of {@code java.time} as ISO 8601 strings, without one more dependency. */
final class TimeModule extends SimpleModule {
  private static final long serialVersionUID = 1L;

  /** Formats of JSON Schema by class. */
  private static final Map<Class<?>, String> FORMATS =
      Map.of(
          Instant.class, "date-time",
          OffsetDateTime.class, "date-time",
          ZonedDateTime.class, "",
          LocalDateTime.class, "",
          LocalDate.class, "date",
          LocalTime.class, "",
          Duration.class, "duration",
          Period.class, "duration");

  TimeModule() {
    text(Instant.class, Instant::parse);
    text(OffsetDateTime.class, OffsetDateTime::parse);
    text(ZonedDateTime.class, ZonedDateTime::parse);
    text(LocalDateTime.class, LocalDateTime::parse);
    text(LocalDate.class, LocalDate::parse);
    text(LocalTime.class, LocalTime::parse);
    text(Duration.class, Duration::parse);
    text(Period.class, Period::parse);
  }

  static Set<Class<?>> types() {
    return FORMATS.keySet();
  }

  /** Empty where JSON Schema has no name for it. */
  static String format(Class<?> type) {
    return FORMATS.getOrDefault(type, "");
  }

  private <T> void text(Class<T> type, Function<String, T> parse) {
    addSerializer(type, new ToStringSerializer(type));
    addDeserializer(type, new Text<>(type, parse));
  }

  private static final class Text<T> extends FromStringDeserializer<T> {
    private static final long serialVersionUID = 1L;
    private final transient Function<String, T> parse;

    Text(Class<T> type, Function<String, T> parse) {
      super(type);
      this.parse = parse;
    }

    @Override
    protected T _deserialize(String value, DeserializationContext context) {
      try {
        return parse.apply(value);
      } catch (DateTimeException malformed) {
        throw new IllegalArgumentException(malformed.getMessage(), malformed);
      }
    }
  }
}
