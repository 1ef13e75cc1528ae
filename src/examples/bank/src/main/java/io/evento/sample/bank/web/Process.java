package io.evento.sample.bank.web;

import java.net.URI;

/**
 * A node, or an instance of the bank.
 *
 * @param health where it says whether it can serve
 * @param isAlive false if the launcher knows that no such process runs
 */
record Process(String id, String url, URI health, boolean isAlive) {

  /**
   * A node, by any address of it: for bundles or for browsers, with the context root or without.
   */
  static Process node(String id, String address, boolean isAlive) {
    var url = address.replaceFirst("^ws", "http").replaceFirst("(/evento)?/?$", "/evento");
    return new Process(id, url, URI.create(url + "/api/health/ready"), isAlive);
  }

  static Process bank(String id, String url, boolean isAlive) {
    return new Process(id, url, URI.create(url + "/health"), isAlive);
  }

  Cluster.Member seenAs(String state, String detail) {
    return new Cluster.Member(id, url, state, detail);
  }
}
