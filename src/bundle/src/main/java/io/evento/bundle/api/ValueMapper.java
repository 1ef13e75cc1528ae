package io.evento.bundle.api;

import io.evento.protocol.Json;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/**
 * Writes and reads what handlers give to their callers. Provided by the SDK itself: an interface,
 * so that the words of this package know nothing of how payloads are mapped.
 */
public interface ValueMapper {
  Json write(@Nullable Object value);

  /** Null if the text says so. */
  <T> @Nullable T read(Class<T> type, Json json);

  /**
   * @throws IllegalStateException if the SDK is not complete
   */
  static ValueMapper find() {
    return ServiceLoader.load(ValueMapper.class, ValueMapper.class.getClassLoader())
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("the SDK's jar has no ValueMapper"));
  }
}
