package io.evento.bundle.session;

import java.util.Set;

/** What the codes mean that a node ends a session with. */
final class Ends {
  /** Says that the credential is not valid any more, or has other rights now. */
  private static final int REVOKED = 4001;

  /** What is answered to who is not known, or may not come in. */
  private static final Set<Integer> REFUSALS = Set.of(401, 403);

  private Ends() {}

  /** Whether a node does not let us in: nothing but an operator changes that. */
  static boolean isRefusal(int status) {
    return REFUSALS.contains(status);
  }

  static void tell(Carrier.Listener listener, int code, String reason) {
    if (code == REVOKED) {
      listener.refused(
          "closed by the node: the token is not valid any more, or has other rights now");
    } else {
      listener.ended("closed by the node code=" + code + " " + reason);
    }
  }
}
