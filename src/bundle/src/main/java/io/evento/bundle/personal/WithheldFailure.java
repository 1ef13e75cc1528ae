package io.evento.bundle.personal;

import org.jspecify.annotations.Nullable;

/**
 * A failure without its text, for logs and nodes: what a handler fails with may say what it was
 * given, and is kept in dead letters, outboxes and log files, where nobody can erase it. Its
 * classes and its places in the code are those of the failure itself.
 */
public final class WithheldFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final int CAUSES_MAX = 20;
  private static final String WHY = "its text is withheld, as personal data was handled";

  private final String name;

  private WithheldFailure(Throwable of, int depth) {
    super(WHY, cause(of, depth), false, true);
    name = of.getClass().getName();
    setStackTrace(of.getStackTrace());
  }

  private static @Nullable Throwable cause(Throwable of, int depth) {
    var cause = of.getCause();
    return cause == null || depth == CAUSES_MAX ? null : new WithheldFailure(cause, depth + 1);
  }

  /**
   * The failure as it may be told.
   *
   * @param isPersonal whether something personal was handled; else it may be told as it is
   */
  public static Throwable tellable(Throwable failure, boolean isPersonal) {
    // A missing key is ours, and says nothing but where.
    return isPersonal && !(failure instanceof MissingKeyException)
        ? new WithheldFailure(failure, 0)
        : failure;
  }

  @Override
  public String toString() {
    return name + ": " + WHY;
  }
}
