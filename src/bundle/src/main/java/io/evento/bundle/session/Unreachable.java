package io.evento.bundle.session;

import java.io.IOException;
import java.net.ConnectException;
import java.net.ProtocolException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.WebSocketHandshakeException;
import java.nio.channels.UnresolvedAddressException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/** Says why an address could not be connected, and what that most often means. */
final class Unreachable {
  private Unreachable() {}

  /** What says most of a failure: the client hangs a closed channel below a refused connection. */
  static Throwable rootOf(Throwable failure) {
    var root = failure;
    while (root.getCause() != null
        && !(root instanceof WebSocketHandshakeException
            || root instanceof HttpConnectTimeoutException
            || root instanceof ConnectException)) {
      root = root.getCause();
    }
    return root;
  }

  static String told(Throwable root) {
    if (root instanceof WebSocketHandshakeException answered) {
      var status = answered.getResponse().statusCode();
      return "HTTP "
          + status
          + " to the upgrade"
          + (status == 404 ? ": is the path missing, such as /evento?" : "");
    }
    if (root instanceof UnresolvedAddressException || root instanceof UnknownHostException) {
      return "the name of the host is not known";
    }
    if (root instanceof HttpConnectTimeoutException || root instanceof TimeoutException) {
      return "no answer in time";
    }
    if (root instanceof ConnectException) {
      return "nothing listens there, or a firewall refuses";
    }
    if (root instanceof SSLException) {
      return "no TLS: " + root;
    }
    if (root instanceof ProtocolException || root instanceof IOException) {
      return "what listens there does not speak HTTP: " + root;
    }
    return "not connected: " + root;
  }
}
