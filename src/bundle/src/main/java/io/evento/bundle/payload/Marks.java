package io.evento.bundle.payload;

import java.lang.annotation.Annotation;
import java.lang.reflect.RecordComponent;
import org.jspecify.annotations.Nullable;

/**
 * What a component of a record is marked with: on itself, or on its field, where Kotlin puts it.
 */
final class Marks {
  private Marks() {}

  static <A extends Annotation> @Nullable A of(RecordComponent component, Class<A> type) {
    var own = component.getAnnotation(type);
    if (own != null) {
      return own;
    }
    try {
      return component
          .getDeclaringRecord()
          .getDeclaredField(component.getName())
          .getAnnotation(type);
    } catch (NoSuchFieldException impossible) {
      throw new IllegalStateException("each component has its field", impossible);
    }
  }

  static boolean has(RecordComponent component, Class<? extends Annotation> type) {
    return of(component, type) != null;
  }
}
