package io.evento.server.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.routing.session.Directory;
import io.evento.server.routing.session.UnresponsiveInstances;
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
import org.jspecify.annotations.Nullable;

/** The bundle instances that are connected anywhere, as this node knows it. */
@NodeScoped
@Path("bundles")
@Produces(MediaType.APPLICATION_JSON)
public class BundleResource {
  @Inject private AdminCalls adminCalls;
  @Inject private Directory directory;
  @Inject private Membership membership;
  @Inject private UnresponsiveInstances unresponsiveInstances;

  /**
   * @param nodes that it has sessions with
   * @param unresponsive where this node passes it over, as it does not answer; else null
   */
  record Instance(
      String bundle,
      String instance,
      Collection<String> nodes,
      Collection<String> commands,
      Collection<String> queries,
      @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Unresponsive unresponsive) {}

  /**
   * @param since when the first deadline passed, RFC 3339
   * @param until when it is asked again
   * @param unanswered deadlines in a row
   */
  record Unresponsive(String since, String until, int unanswered) {
    static Unresponsive of(UnresponsiveInstances.Silent silent) {
      return new Unresponsive(
          silent.since().toString(), silent.until().toString(), silent.unanswered());
    }
  }

  record Bundles(List<Instance> bundles) {}

  @GET
  public CompletionStage<byte[]> all() {
    return adminCalls.answer(this::list);
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
                                new TreeSet<>(),
                                unresponsiveInstances
                                    .silent(first)
                                    .map(Unresponsive::of)
                                    .orElse(null)));
                known.nodes().add(node);
                known.commands().addAll(entry.commands());
                known.queries().addAll(entry.queries());
              }
            });
    return new Bundles(new ArrayList<>(instances.values()));
  }
}
