package io.evento.server.gateway.gate;

import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Where a request comes from: the peer of its connection, or, where that is a balancer that the
 * operator trusts, whom the balancer names last. What stands before that anybody may have written.
 */
final class PeerAddress {
  private static final String FORWARDED = "X-Forwarded-For";
  private static final Pattern ADDRESS = Pattern.compile("[0-9a-fA-F.:]{2,60}");

  private final Set<String> trusted;

  PeerAddress(Collection<String> trusted) {
    this.trusted = Set.copyOf(trusted);
  }

  String of(HttpServletRequest request) {
    var address = request.getRemoteAddr();
    if (!trusted.contains(address)) {
      return address;
    }
    var hops = new ArrayList<String>();
    for (var line : Collections.list(request.getHeaders(FORWARDED))) {
      for (var hop : line.split(",", -1)) {
        hops.add(hop.strip());
      }
    }
    for (var i = hops.size() - 1; i >= 0; i--) {
      var hop = hops.get(i);
      if (!trusted.contains(hop)) {
        return ADDRESS.matcher(hop).matches() ? hop : address;
      }
    }
    return address;
  }
}
