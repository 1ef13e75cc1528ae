package io.evento.cluster;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.launcher.Member;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * The list of processes for programs, {@code cluster.json}. It appears whole by one rename, follows
 * every change, and is gone when the cluster is; a process that does not run has no {@code pid}.
 */
final class ClusterFile {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final String controlUrl;
  private final LocalCluster cluster;
  private boolean shown;

  ClusterFile(Path file, String controlUrl, LocalCluster cluster) {
    this.file = file;
    this.controlUrl = controlUrl;
    this.cluster = cluster;
    cluster.follow(this::update);
  }

  synchronized void show() {
    shown = true;
    update();
  }

  synchronized void remove() throws IOException {
    shown = false;
    Files.deleteIfExists(file);
  }

  byte[] content() {
    var root = JSON.createObjectNode();
    root.putObject("control").put("url", controlUrl).put("pid", ProcessHandle.current().pid());
    address(root.putObject("balancer"), cluster.balancer());
    list(root, "nodes", cluster.nodes());
    var postgres = root.putObject("postgres").put("jdbcUrl", cluster.database().url());
    cluster.postgres().ifPresent(own -> pid(postgres, own));
    list(root, "bundles", cluster.bundles());
    return root.toPrettyString().getBytes(StandardCharsets.UTF_8);
  }

  private synchronized void update() {
    if (shown) {
      try {
        var fresh = Files.write(file.resolveSibling(file.getFileName() + ".new"), content());
        Files.move(
            fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } catch (IOException failure) {
        throw new UncheckedIOException("cannot write " + file, failure);
      }
    }
  }

  private static void list(ObjectNode root, String name, List<Member> members) {
    var list = root.putArray(name);
    for (var member : members) {
      var entry = list.addObject().put("id", member.id());
      address(entry, member);
      entry.put("log", member.log().toString());
    }
  }

  private static void address(ObjectNode entry, Member member) {
    entry.put("url", member.url());
    pid(entry, member);
  }

  private static void pid(ObjectNode entry, Member member) {
    member.pid().ifPresentOrElse(pid -> entry.put("pid", pid), () -> entry.putNull("pid"));
  }
}
