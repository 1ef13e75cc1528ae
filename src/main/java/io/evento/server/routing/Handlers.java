package io.evento.server.routing;

import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.protocol.Message;
import io.evento.protocol.Rendezvous;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;

/**
 * Finds the bundle instance that decides a command and asks it: on this node's own session where
 * there is one, else through a node that has one.
 */
@NodeScoped
public class Handlers {
  private static final String DECIDE = "decide";
  private static final String CONSIDER = "consider";
  private static final String RUN = "run";
  private static final String NOT_DELIVERED = "not-delivered";
  private static final String LOST = "lost";

  /** An instance, and the node through which it is reached; empty for this one. */
  public record Host(UUID instance, Optional<String> node) {}

  private final Sessions sessions;
  private final Directory directory;
  private final Links links;
  private final Availability availability;

  @Inject
  public Handlers(Sessions sessions, Directory directory, Links links, Availability availability) {
    this.sessions = sessions;
    this.directory = directory;
    this.links = links;
    this.availability = availability;
    links.answer(DECIDE, this::decideForPeer);
    links.answer(CONSIDER, this::considerForPeer);
    links.answer(RUN, this::runForPeer);
  }

  /**
   * The host for a key: the same one for as long as the same instances are there, as it holds the
   * stream's state.
   *
   * @param without hosts that were just found not to answer
   */
  public Optional<Host> choose(String command, String key, Set<Host> without) {
    var candidates = new HashMap<String, Host>();
    for (var session : sessions.hosting(command)) {
      add(candidates, new Host(session.instance(), Optional.empty()), without);
    }
    if (candidates.isEmpty()) {
      for (var remote : directory.hosting(command)) {
        add(candidates, new Host(remote.instance(), Optional.of(remote.node())), without);
      }
    }
    return Rendezvous.choose(key, candidates.keySet()).map(candidates::get);
  }

  /** The end of a command that {@link #choose} finds nobody for. */
  public EventoException nobody(String command) {
    return availability.noHandler("hosts the command " + command);
  }

  private static void add(Map<String, Host> candidates, Host host, Set<Host> without) {
    if (!without.contains(host)) {
      candidates.putIfAbsent(host.instance().toString(), host);
    }
  }

  /** Whether the host can still be asked. */
  public boolean isThere(Host host, String command) {
    return host.node().isEmpty()
        ? sessions.isHosted(host.instance(), command)
        : links.reaches(host.node().get())
            && directory.hosting(command).stream()
                .anyMatch(
                    r ->
                        r.instance().equals(host.instance()) && r.node().equals(host.node().get()));
  }

  /** How a host keeps snapshots of an aggregate; empty if it keeps none. */
  public Optional<SnapshotRule> snapshots(Host host, String command, String aggregateType) {
    return host.node().isEmpty()
        ? sessions.of(host.instance(), command).stream()
            .findFirst()
            .map(session -> session.snapshots().get(aggregateType))
        : directory.snapshots(
            new Directory.Remote(host.node().get(), host.instance()), aggregateType);
  }

  /**
   * Asks a host for a decision.
   *
   * @param parts one message, or the parts of a story
   * @return fails with {@link SessionLostException} or a {@link
   *     io.evento.server.cluster.PeerLostException} where another host may be asked
   */
  public CompletionStage<Message.Decided> decide(Host host, List<Message.Decide> parts) {
    if (host.node().isEmpty()) {
      return decideHere(host.instance(), parts);
    }
    var body =
        host.instance()
            + " "
            + parts.stream().map(Codec::write).collect(Collectors.joining("\u001e"));
    return links
        .ask(host.node().get(), DECIDE, body, parts.get(0).deadline())
        .thenApply(answer -> (Message.Decided) delivered(answer));
  }

  private CompletionStage<Message.Decided> decideHere(UUID instance, List<Message.Decide> parts) {
    return session(instance, parts.get(0).type())
        .map(session -> session.decide(parts))
        .orElseGet(() -> CompletableFuture.failedStage(new NotSentException("no session")));
  }

  /**
   * Asks a host for a decision over several streams.
   *
   * @param parts one message, or several that bring its events
   * @return fails as {@link #decide} does
   */
  public CompletionStage<Message.Considered> consider(Host host, List<Message.Consider> parts) {
    if (host.node().isEmpty()) {
      return considerHere(host.instance(), parts);
    }
    var body =
        host.instance()
            + " "
            + parts.stream().map(Codec::write).collect(Collectors.joining("\u001e"));
    return links
        .ask(host.node().get(), CONSIDER, body, parts.get(0).deadline())
        .thenApply(answer -> (Message.Considered) delivered(answer));
  }

  private CompletionStage<Message.Considered> considerHere(
      UUID instance, List<Message.Consider> parts) {
    return session(instance, parts.get(0).type())
        .map(session -> session.consider(parts))
        .orElseGet(() -> CompletableFuture.failedStage(new SessionLostException("no session")));
  }

  private CompletionStage<String> considerForPeer(String peer, String body) {
    var space = body.indexOf(' ');
    var parts = new ArrayList<Message.Consider>();
    for (var part : body.substring(space + 1).split("\u001e", -1)) {
      parts.add((Message.Consider) Codec.read(part));
    }
    return told(considerHere(UUID.fromString(body.substring(0, space)), parts));
  }

  /**
   * Lets a host run a service's command.
   *
   * @param patience milliseconds to wait for its end; the command's own deadline is when it must
   *     have begun
   * @return {@link Message.Result} or {@link Message.Fault}; fails as {@link #decide} does, with
   *     {@link NotSentException} where the service surely did not hear of it
   */
  CompletionStage<Message> run(Host host, Message.Command command, int patience) {
    if (host.node().isEmpty()) {
      return runHere(host.instance(), command, patience);
    }
    return links
        .ask(
            host.node().get(),
            RUN,
            host.instance() + " " + patience + " " + Codec.write(command),
            patience)
        .thenApply(Handlers::delivered);
  }

  private CompletionStage<Message> runHere(UUID instance, Message.Command command, int patience) {
    return session(instance, command.type())
        .map(session -> session.ask(command.id(), command, patience))
        .orElseGet(() -> CompletableFuture.failedStage(new NotSentException("no session")))
        .exceptionally(failure -> refused(command.id(), failure));
  }

  /** What was refused before it was sent is told as the service would have told it. */
  private static Message refused(UUID command, Throwable failure) {
    if (Failures.cause(failure) instanceof EventoException refused) {
      return Message.Fault.of(command, refused);
    }
    throw new CompletionException(Failures.cause(failure));
  }

  private Optional<BundleSession> session(UUID instance, String command) {
    return sessions.of(instance, command).stream()
        .min(java.util.Comparator.comparingInt(BundleSession::outstanding));
  }

  private CompletionStage<String> decideForPeer(String peer, String body) {
    var space = body.indexOf(' ');
    var parts = new ArrayList<Message.Decide>();
    for (var part : body.substring(space + 1).split("\u001e", -1)) {
      parts.add((Message.Decide) Codec.read(part));
    }
    return told(decideHere(UUID.fromString(body.substring(0, space)), parts));
  }

  private CompletionStage<String> runForPeer(String peer, String body) {
    var parts = body.split(" ", 3);
    var command = (Message.Command) Codec.read(parts[2]);
    return told(runHere(UUID.fromString(parts[0]), command, Integer.parseInt(parts[1])));
  }

  private static CompletionStage<String> told(CompletionStage<? extends Message> answer) {
    return answer.handle(
        (message, failure) ->
            failure == null
                ? Codec.write(message)
                : Failures.cause(failure) instanceof NotSentException ? NOT_DELIVERED : LOST);
  }

  private static Message delivered(String answer) {
    return switch (answer) {
      case NOT_DELIVERED -> throw new CompletionException(new NotSentException("not delivered"));
      case LOST -> throw new CompletionException(new SessionLostException("no answer came"));
      default -> Codec.read(answer);
    };
  }
}
