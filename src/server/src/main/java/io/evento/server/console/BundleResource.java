package io.evento.server.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.routing.session.Directory;
import io.evento.server.routing.session.UnresponsiveInstances;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
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
  @Inject private SessionFigures figures;
  @Inject private UnresponsiveInstances unresponsiveInstances;

  /**
   * @param nodes that it has sessions with
   * @param consumers by name and version: {@code accounts:1}
   * @param components kinds and names: {@code aggregate Account}
   * @param unresponsive where this node passes it over, as it does not answer; else null
   */
  record Instance(
      String bundle,
      String instance,
      Collection<String> nodes,
      Collection<String> commands,
      Collection<String> queries,
      Collection<String> consumers,
      Collection<String> components,
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
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> all() {
    return adminCalls.view(this::list);
  }

  /** The sessions of these instances with all nodes. */
  @GET
  @Needs(Access.VIEW)
  @Path("sessions")
  public CompletionStage<byte[]> sessions() {
    return adminCalls.viewed(figures.all());
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
                                new TreeSet<>(),
                                new TreeSet<>(),
                                unresponsiveInstances
                                    .silent(first)
                                    .map(Unresponsive::of)
                                    .orElse(null)));
                known.nodes().add(node);
                known.commands().addAll(entry.commands());
                known.queries().addAll(entry.queries());
                known.consumers().addAll(entry.consumers());
                known.components().addAll(entry.components());
              }
            });
    return new Bundles(new ArrayList<>(instances.values()));
  }
}
