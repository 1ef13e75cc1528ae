package io.evento.bundle.session;

/** What the codes mean that a node ends a session with. */
final class Ends {
  /** Says that the credential is not valid any more, or has other rights now. */
  private static final int REVOKED = 4001;

  private Ends() {}

  static void tell(Carrier.Listener listener, int code, String reason) {
    if (code == REVOKED) {
      listener.refused(
          "closed by the node: the token is not valid any more, or has other rights now");
    } else {
      listener.ended("closed by the node code=" + code + " " + reason);
    }
  }
}
