package io.evento.bundle.payload;

import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.Period;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Makes records up, to see them written and read back before the first real one is: one with
 * something in each component that a type says enough of, one with as little as possible. A record
 * whose constructor wants something else gives none.
 */
final class Samples {
  private static final int DEPTH_MAX = 4;

  private static final Map<Class<?>, Object> KNOWN =
      Map.ofEntries(
          Map.entry(boolean.class, true),
          Map.entry(Boolean.class, true),
          Map.entry(byte.class, (byte) 1),
          Map.entry(Byte.class, (byte) 1),
          Map.entry(short.class, (short) 1),
          Map.entry(Short.class, (short) 1),
          Map.entry(int.class, 1),
          Map.entry(Integer.class, 1),
          Map.entry(long.class, 1L),
          Map.entry(Long.class, 1L),
          Map.entry(float.class, 1.5f),
          Map.entry(Float.class, 1.5f),
          Map.entry(double.class, 1.5d),
          Map.entry(Double.class, 1.5d),
          Map.entry(char.class, 'a'),
          Map.entry(Character.class, 'a'),
          Map.entry(String.class, "a"),
          Map.entry(BigInteger.class, BigInteger.ONE),
          Map.entry(BigDecimal.class, new BigDecimal("1.10")),
          Map.entry(UUID.class, new UUID(1, 2)),
          Map.entry(Instant.class, Instant.EPOCH),
          Map.entry(OffsetDateTime.class, OffsetDateTime.parse("2026-01-31T10:15:30+01:00")),
          Map.entry(ZonedDateTime.class, ZonedDateTime.parse("2026-01-31T10:15:30Z[UTC]")),
          Map.entry(LocalDateTime.class, LocalDateTime.parse("2026-01-31T10:15:30")),
          Map.entry(LocalDate.class, LocalDate.parse("2026-01-31")),
          Map.entry(LocalTime.class, LocalTime.parse("10:15:30")),
          Map.entry(Duration.class, Duration.ofSeconds(1)),
          Map.entry(Period.class, Period.ofDays(1)));

  private final ObjectMapper jackson;

  Samples(ObjectMapper jackson) {
    this.jackson = jackson;
  }

  /** None where the constructor refuses them. */
  List<Object> of(Class<?> record) {
    var type = jackson.constructType(record);
    var samples = new ArrayList<Object>();
    for (var isFull : new boolean[] {true, false}) {
      var sample = record(type, isFull, 0);
      if (sample != null) {
        samples.add(sample);
      }
    }
    return samples;
  }

  private @Nullable Object record(JavaType type, boolean isFull, int depth) {
    var components = type.getRawClass().getRecordComponents();
    var types = new Class<?>[components.length];
    var values = new @Nullable Object[components.length];
    try {
      for (var i = 0; i < components.length; i++) {
        types[i] = components[i].getType();
        var member =
            jackson
                .getTypeFactory()
                .resolveMemberType(components[i].getGenericType(), type.getBindings());
        values[i] = isFull || types[i].isPrimitive() ? value(member, isFull, depth) : null;
      }
      var constructor = type.getRawClass().getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (ReflectiveOperationException | RuntimeException | LinkageError refused) {
      return null;
    }
  }

  private @Nullable Object value(JavaType type, boolean isFull, int depth) {
    var raw = type.getRawClass();
    if (raw.isPrimitive() && !isFull) {
      return Array.get(Array.newInstance(raw, 1), 0);
    }
    var known = KNOWN.get(raw);
    if (known != null) {
      return known;
    }
    if (raw.isEnum()) {
      return Arrays.stream(raw.getEnumConstants()).findFirst().orElse(null);
    }
    if (depth >= DEPTH_MAX) {
      return null;
    }
    if (raw.isRecord()) {
      return record(type, isFull, depth + 1);
    }
    var inside = type.getContentType();
    var element = inside == null ? null : value(inside, isFull, depth + 1);
    if (element == null) {
      return null;
    }
    if (raw.isArray()) {
      var array = Array.newInstance(raw.getComponentType(), 1);
      Array.set(array, 0, element);
      return array;
    }
    if (raw == List.class || raw == Collection.class) {
      return List.of(element);
    }
    if (raw == Set.class) {
      return Set.of(element);
    }
    var key = raw == Map.class ? value(type.getKeyType(), isFull, depth + 1) : null;
    return key == null ? null : Map.of(key, element);
  }
}
