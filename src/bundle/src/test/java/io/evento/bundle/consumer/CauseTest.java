package io.evento.bundle.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is kept of a failure with a dead letter. */
class CauseTest {
  private static Throwable failure(String message, @Nullable Throwable cause) {
    var failure = new IllegalStateException(message, cause);
    failure.setStackTrace(
        new StackTraceElement[] {
          new StackTraceElement("org.acme.Rules", "check", "Rules.java", 7),
          new StackTraceElement("org.acme.Shows", "on", "Shows.java", 31),
          new StackTraceElement("io.evento.bundle.dispatch.Handler", "call", "Handler.java", 1),
          new StackTraceElement("java.lang.Thread", "run", "Thread.java", 1)
        });
    return failure;
  }

  @Test
  void it_says_what_was_thrown_where_in_which_process_down_to_the_handler() {
    assertThat(Cause.of(failure("cannot show", null)).lines())
        .satisfiesExactly(
            first -> assertThat(first).isEqualTo("java.lang.IllegalStateException: cannot show"),
            second -> assertThat(second).startsWith("in process " + ProcessHandle.current().pid()),
            third -> assertThat(third).isEqualTo("  at org.acme.Rules.check(Rules.java:7)"),
            fourth -> assertThat(fourth).isEqualTo("  at org.acme.Shows.on(Shows.java:31)"));
  }

  @Test
  void its_causes_are_told_and_all_of_it_is_bounded() {
    assertThat(Cause.of(failure("outer", failure("inner", null))))
        .contains("\ncaused by java.lang.IllegalStateException: inner\n  at org.acme.Rules.check");
    assertThat(Cause.of(failure("x".repeat(10_000), null))).hasSize(4_001).endsWith("…");
  }
}
