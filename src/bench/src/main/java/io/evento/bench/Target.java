package io.evento.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.bundle.EventoBundle;
import io.evento.cluster.LocalCluster;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The cluster that is measured, as its {@code cluster.json} describes it.
 *
 * @param servers WebSocket addresses of the nodes
 * @param doors HTTP addresses of the nodes
 * @param balancer HTTP address of what stands before them
 * @param pids of all processes by name
 * @param tokenFile with the credential that its nodes ask for; empty if they ask nobody
 */
record Target(
    List<String> servers,
    List<URI> doors,
    URI balancer,
    String jdbcUrl,
    Map<String, Long> pids,
    Optional<Path> tokenFile) {

  /** A bundle for it, which is not started. */
  EventoBundle.Builder bundle(String name) {
    var bundle = EventoBundle.named(name).connect(servers.toArray(String[]::new));
    tokenFile.ifPresent(bundle::tokenFile);
    return bundle;
  }

  static Target of(Path clusterJson) throws IOException {
    var described = new ObjectMapper().readTree(clusterJson.toFile());
    var doors = new ArrayList<URI>();
    var pids = new LinkedHashMap<String, Long>();
    for (var node : described.path("nodes")) {
      doors.add(URI.create(node.path("url").asText()));
      add(pids, node);
    }
    described.path("bundles").forEach(bundle -> add(pids, bundle));
    pids.put("balancer", described.path("balancer").path("pid").asLong());
    pids.put("postgres", described.path("postgres").path("pid").asLong());
    pids.put("bench", ProcessHandle.current().pid());
    return of(
        doors,
        URI.create(described.path("balancer").path("url").asText()),
        described.path("postgres").path("jdbcUrl").asText(),
        pids,
        Optional.empty());
  }

  static Target of(LocalCluster cluster, Optional<Path> tokenFile) {
    var pids = new LinkedHashMap<String, Long>();
    for (var member : cluster.nodes()) {
      pids.put(member.id(), member.pid().orElseThrow());
    }
    for (var member : cluster.bundles()) {
      pids.put(member.id(), member.pid().orElseThrow());
    }
    pids.put("balancer", cluster.balancer().pid().orElseThrow());
    cluster.postgres().ifPresent(member -> pids.put("postgres", member.pid().orElseThrow()));
    pids.put("bench", ProcessHandle.current().pid());
    return of(
        cluster.nodes().stream().map(node -> URI.create(node.url())).toList(),
        URI.create(cluster.balancer().url()),
        cluster.database().url(),
        pids,
        tokenFile);
  }

  private static Target of(
      List<URI> doors,
      URI balancer,
      String jdbcUrl,
      Map<String, Long> pids,
      Optional<Path> tokenFile) {
    var servers =
        doors.stream().map(door -> door.toString().replaceFirst("^http", "ws") + "/evento");
    return new Target(servers.toList(), doors, balancer, jdbcUrl, pids, tokenFile);
  }

  private static void add(Map<String, Long> pids, JsonNode process) {
    pids.put(process.path("id").asText(), process.path("pid").asLong());
  }
}
