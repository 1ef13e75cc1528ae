package io.evento.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.System.Logger;
import java.util.ArrayList;
import java.util.List;
import java.util.ResourceBundle;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RepeatedWarningTest {
  private final AtomicLong clock = new AtomicLong();
  private final List<String> lines = new ArrayList<>();
  private final RepeatedWarning warning = new RepeatedWarning(new Lines(), clock::get);

  private final class Lines implements Logger {
    @Override
    public String getName() {
      return "test";
    }

    @Override
    public boolean isLoggable(Level level) {
      return true;
    }

    @Override
    public void log(Level level, Supplier<String> text) {
      lines.add(level + " " + text.get());
    }

    @Override
    public void log(
        Level level, @Nullable ResourceBundle bundle, String text, @Nullable Throwable thrown) {
      throw new AssertionError("not used");
    }

    @Override
    public void log(Level level, @Nullable ResourceBundle bundle, String format, Object... values) {
      throw new AssertionError("not used");
    }
  }

  @Test
  void the_first_is_logged_at_once_and_then_one_a_minute_that_counts_the_others() {
    for (var i = 0; i < 61; i++) {
      warning.log(() -> "away");
      clock.addAndGet(TimeUnit.SECONDS.toNanos(1));
    }
    assertThat(lines).containsExactly("WARNING away", "WARNING away repeated=59");
  }

  @Test
  void subjects_are_told_apart_up_to_a_number() {
    warning.log("a", () -> "silent a");
    warning.log("b", () -> "silent b");
    warning.log("a", () -> "silent a");
    assertThat(lines).containsExactly("WARNING silent a", "WARNING silent b");

    for (var i = 0; i < 100; i++) {
      warning.log("n" + i, () -> "other");
    }
    warning.log("b", () -> "silent b");
    assertThat(lines).last().isEqualTo("WARNING silent b");
  }
}
