package io.evento.server.console;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.evento.protocol.Codec;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.ScatterGather;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.routing.session.Sessions;
import jakarta.inject.Inject;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;

/** The sessions that bundles have with all nodes, each asked for its own. */
@NodeScoped
public class SessionFigures {
  private static final String KIND = "session.figures";

  private final Links links;
  private final Membership membership;
  private final Sessions sessions;

  @Inject
  public SessionFigures(Links links, Membership membership, Sessions sessions) {
    this.links = links;
    this.membership = membership;
    this.sessions = sessions;
  }

  /** Answers other nodes from now on; called when a node starts, before anybody asks. */
  void answerPeers() {
    links.answer(KIND, (peer, body) -> CompletableFuture.completedFuture(Codec.text(own())));
  }

  /**
   * @param caller whose rights it has
   * @param since RFC 3339
   * @param outstanding what it was asked and has not answered
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  record SessionView(
      String node,
      String bundle,
      String instance,
      String caller,
      String address,
      String since,
      int outstanding) {}

  /**
   * @param unreachable nodes that did not answer in time: their sessions are missing
   */
  record SessionsView(Collection<SessionView> sessions, Collection<String> unreachable) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  record Own(List<SessionView> sessions) {}

  /**
   * Of all nodes that answer in time.
   *
   * @return after half a second at the latest; nobody waits for it
   */
  CompletionStage<SessionsView> all() {
    var here = own();
    return ScatterGather.ask(
            links, links.peers(), KIND, "", text -> Codec.readBody(Own.class, new Json(text)))
        .thenApply(
            gathered ->
                new SessionsView(
                    Stream.concat(Stream.of(here), gathered.answers().values().stream())
                        .flatMap(one -> one.sessions().stream())
                        .sorted(
                            Comparator.comparing(SessionView::bundle)
                                .thenComparing(SessionView::instance)
                                .thenComparing(SessionView::node))
                        .toList(),
                    gathered.silent().stream().sorted().toList()));
  }

  private Own own() {
    return new Own(sessions.all().stream().map(this::view).toList());
  }

  private SessionView view(BundleSession session) {
    return new SessionView(
        membership.self(),
        session.bundle(),
        session.instance().toString(),
        session.caller().name(),
        session.caller().address(),
        session.since().toString(),
        session.outstanding());
  }
}
