package io.evento.server.cluster;

/** The link to a node is down, silent or full; whether the node got the message is not known. */
public class PeerLostException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public PeerLostException(String peer) {
    super("no link to node " + peer, null, false, false);
  }
}
