package io.evento.bundle.payload;

import java.util.Arrays;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Classes that were written in Kotlin. */
public final class Kotlin {
  private static final String MARK = "kotlin.Metadata";

  private static final Pattern MISSING =
      Pattern.compile("Parameter specified as non-null is null: .*, parameter (\\w+)");

  private Kotlin() {}

  /** Whether a class was written in Kotlin. */
  public static boolean isSourceOf(Class<?> type) {
    return Arrays.stream(type.getAnnotations())
        .anyMatch(each -> each.annotationType().getName().equals(MARK));
  }

  /** The component that a constructor of Kotlin's missed; null if that was not the failure. */
  static @Nullable String missing(Throwable failure) {
    var said = MISSING.matcher(String.valueOf(failure.getMessage()));
    return said.matches() ? said.group(1) : null;
  }

  /** What makes a record of a class: the end of a sentence, empty where it is not Kotlin's. */
  public static String hint(Class<?> type) {
    return isSourceOf(type) ? "; a data class of Kotlin becomes one by @JvmRecord" : "";
  }
}
