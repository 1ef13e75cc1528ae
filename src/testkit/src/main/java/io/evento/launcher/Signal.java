package io.evento.launcher;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** What can be said to a process besides the two things that Java knows how to say. */
public enum Signal {
  /** End, cleanly. */
  TERM,
  /** End as for Ctrl-C; to PostgreSQL: drop the sessions, then end cleanly ("fast"). */
  INT,
  /** To PostgreSQL: end at once and recover at the next start ("immediate"). */
  QUIT,
  /** End now, without being asked. */
  KILL,
  /** Freeze. */
  STOP,
  /** Go on after a freeze. */
  CONT;

  private static final int SECONDS_MAX = 5;

  /** A process that is gone already is no failure. */
  public void sendTo(long pid) {
    try {
      var kill =
          new ProcessBuilder("kill", "-" + name(), Long.toString(pid))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (!kill.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
        throw new IllegalStateException("kill -" + name() + " " + pid + " does not return");
      }
    } catch (IOException failure) {
      throw new IllegalStateException("cannot signal process " + pid, failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
