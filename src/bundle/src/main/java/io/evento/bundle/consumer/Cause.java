package io.evento.bundle.consumer;

import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * Why an event could not be handled, as whoever repairs it wants to read: what was thrown, by which
 * handler, in which process, and where in the code. Bounded, as it is kept with the dead letter.
 */
final class Cause {
  private static final String OURS = "io.evento.bundle.";
  private static final int FRAMES_MAX = 15;
  private static final int CAUSES_MAX = 5;
  private static final int CHARS_MAX = 4_000;
  private static final String PROCESS = process();

  private Cause() {}

  private static String process() {
    var pid = ProcessHandle.current().pid();
    try {
      return pid + " on " + InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException nameless) {
      return Long.toString(pid);
    }
  }

  /**
   * @param told as nodes may have it
   */
  static String of(Throwable told) {
    var text = new StringBuilder(String.valueOf(told));
    text.append("\nin process ").append(PROCESS);
    tell(text, told);
    var cause = told.getCause();
    for (var depth = 0; cause != null && depth < CAUSES_MAX; depth++) {
      text.append("\ncaused by ").append(cause);
      tell(text, cause);
      cause = cause.getCause();
    }
    return text.length() > CHARS_MAX ? text.substring(0, CHARS_MAX) + "…" : text.toString();
  }

  /** The frames down to the handler; below it everything is ours. */
  private static void tell(StringBuilder text, Throwable thrown) {
    var told = 0;
    for (var frame : thrown.getStackTrace()) {
      if (frame.getClassName().startsWith(OURS)) {
        return;
      }
      if (told++ == FRAMES_MAX) {
        text.append("\n  …");
        return;
      }
      text.append("\n  at ").append(frame);
    }
  }
}
