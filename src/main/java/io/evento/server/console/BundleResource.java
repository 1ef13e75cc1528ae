package io.evento.server.console;

import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.routing.Directory;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/** The bundle instances that are connected anywhere, as this node knows it. */
@NodeScoped
@Path("bundles")
@Produces(MediaType.APPLICATION_JSON)
public class BundleResource {
  @Inject private Administration administration;
  @Inject private Directory directory;
  @Inject private Membership membership;

  /**
   * @param nodes that it has sessions with
   */
  record Instance(
      String bundle,
      String instance,
      Collection<String> nodes,
      Collection<String> commands,
      Collection<String> queries) {}

  record Bundles(List<Instance> bundles) {}

  @GET
  public CompletionStage<byte[]> all() {
    return administration.answer(this::list);
  }

  private Bundles list() {
    var instances = new TreeMap<UUID, Instance>();
    directory
        .everywhere(membership.self())
        .forEach(
            (node, entries) -> {
              for (var entry : entries) {
                var known =
                    instances.computeIfAbsent(
                        entry.instance(),
                        first ->
                            new Instance(
                                entry.bundle(),
                                first.toString(),
                                new TreeSet<>(),
                                new TreeSet<>(),
                                new TreeSet<>()));
                known.nodes().add(node);
                known.commands().addAll(entry.commands());
                known.queries().addAll(entry.queries());
              }
            });
    return new Bundles(new ArrayList<>(instances.values()));
  }
}
