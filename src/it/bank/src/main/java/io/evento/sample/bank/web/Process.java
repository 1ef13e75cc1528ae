package io.evento.sample.bank.web;

import java.net.URI;

/**
 * A node, or an instance of the bank.
 *
 * @param health where it says whether it can serve
 * @param isFrozen whether the launcher has stopped its clock
 */
record Process(String id, String url, URI health, boolean isFrozen) {

  /** A node, by the address that bundles or browsers use. */
  static Process node(String id, String url, boolean isFrozen) {
    var base = url.replaceFirst("^ws", "http").replaceFirst("/$", "");
    return new Process(id, base, URI.create(base + "/api/health/ready"), isFrozen);
  }

  static Process bank(String id, String url, boolean isFrozen) {
    return new Process(id, url, URI.create(url.replaceFirst("/$", "") + "/health"), isFrozen);
  }

  Cluster.Member seenAs(String state, String detail) {
    return new Cluster.Member(id, url, state, detail);
  }
}
