package io.evento.server.routing.command;

import io.evento.protocol.Codec;
import io.evento.protocol.CommandMessage;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.EventoException;
import io.evento.protocol.Message;
import io.evento.protocol.Rendezvous;
import io.evento.protocol.ReplyMessage;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import io.evento.server.routing.Failures;
import io.evento.server.routing.NotSentException;
import io.evento.server.routing.SessionEndedException;
import io.evento.server.routing.SessionLostException;
import io.evento.server.routing.session.Availability;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.routing.session.Directory;
import io.evento.server.routing.session.PoisonMessage;
import io.evento.server.routing.session.PoisonMessages;
import io.evento.server.routing.session.Sessions;
import io.evento.server.routing.session.SnapshotRule;
import io.evento.server.routing.session.UnresponsiveInstances;
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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Finds the bundle instance that decides a command and asks it: on this node's own session where
 * there is one, else through a node that has one.
 */
@NodeScoped
public class CommandHandlers {
  private static final String DECIDE = "decide";
  private static final String DECIDE_BOUNDARY = "decide-boundary";
  private static final String RUN = "run";
  private static final String ALONE = "-alone";
  private static final String NOT_DELIVERED = "not-delivered";
  private static final String LOST = "lost";
  private static final String ENDED = "ended";

  /** An instance, and the node through which it is reached; empty for this one. */
  public record Host(UUID instance, Optional<String> node) {}

  private final Sessions sessions;
  private final Directory directory;
  private final Links links;
  private final Availability availability;
  private final PoisonMessages poisonMessages;
  private final UnresponsiveInstances unresponsiveInstances;

  @Inject
  public CommandHandlers(
      Sessions sessions,
      Directory directory,
      Links links,
      Availability availability,
      PoisonMessages poisonMessages,
      UnresponsiveInstances unresponsiveInstances) {
    this.sessions = sessions;
    this.directory = directory;
    this.links = links;
    this.availability = availability;
    this.poisonMessages = poisonMessages;
    this.unresponsiveInstances = unresponsiveInstances;
    links.answer(DECIDE, (peer, body) -> decideForPeer(peer, body, false));
    links.answer(DECIDE + ALONE, (peer, body) -> decideForPeer(peer, body, true));
    links.answer(DECIDE_BOUNDARY, (peer, body) -> decideBoundaryForPeer(peer, body, false));
    links.answer(DECIDE_BOUNDARY + ALONE, (peer, body) -> decideBoundaryForPeer(peer, body, true));
    links.answer(RUN, (peer, body) -> runForPeer(peer, body, false));
    links.answer(RUN + ALONE, (peer, body) -> runForPeer(peer, body, true));
  }

  /**
   * The host for a key: the same one for as long as the same instances are there, as it holds the
   * stream's state.
   *
   * @param without hosts that were just found not to answer
   */
  public Optional<Host> choose(String command, String key, Set<Host> without) {
    return choose(command, key, host -> !without.contains(host) && mayBeAsked(host))
        .or(() -> choose(command, key, host -> !without.contains(host)));
  }

  /** The same for another instance than one that is silent. */
  public Optional<Host> another(String command, String key, Set<Host> without, Host silent) {
    return choose(
        command,
        key,
        host ->
            !without.contains(host)
                && !host.instance().equals(silent.instance())
                && mayBeAsked(host));
  }

  private Optional<Host> choose(String command, String key, Predicate<Host> mayBe) {
    var candidates = new HashMap<String, Host>();
    for (var session : sessions.hosting(command)) {
      add(candidates, new Host(session.instance(), Optional.empty()), mayBe);
    }
    if (candidates.isEmpty()) {
      for (var remote : directory.hosting(command)) {
        add(candidates, new Host(remote.instance(), Optional.of(remote.node())), mayBe);
      }
    }
    return Rendezvous.choose(key, candidates.keySet()).map(candidates::get);
  }

  /** Whether a host has not left too many deadlines pass. */
  public boolean mayBeAsked(Host host) {
    return unresponsiveInstances.mayBeAsked(host.instance());
  }

  /** A host that has long not answered, while others may. */
  public void unanswered(Host host, int millis) {
    unresponsiveInstances.unanswered(host.instance(), millis);
  }

  /** The end of a command that {@link #choose} finds nobody for. */
  public EventoException nobody(String command) {
    return availability.noHandler("hosts the command " + command);
  }

  /** The same where any command of an aggregate would do. */
  public EventoException nobodyOf(String aggregateType) {
    return availability.noHandler(
        "hosts the aggregate " + aggregateType + ", whose handlers alone can compute its state");
  }

  private static void add(Map<String, Host> candidates, Host host, Predicate<Host> mayBe) {
    if (mayBe.test(host)) {
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
   * @param parts one message, or the parts of a history
   * @return fails with {@link SessionLostException} or a {@link
   *     io.evento.server.cluster.PeerLostException} where another host may be asked, with {@code
   *     handler-failed} if the command has ended enough sessions ({@link PoisonMessage})
   */
  public CompletionStage<DecideMessage.Decided> decide(
      Host host, List<DecideMessage.Decide> parts) {
    var last = parts.get(parts.size() - 1);
    return ask(
        host,
        last.id(),
        last.deadline(),
        alone ->
            host.node().isEmpty()
                ? decideHere(host.instance(), parts, alone)
                : askPeer(host, DECIDE, alone, joined(host, parts), parts.get(0).deadline())
                    .thenApply(DecideMessage.Decided.class::cast));
  }

  private <T> CompletionStage<T> ask(
      Host host, UUID id, int millis, Function<Boolean, CompletionStage<T>> ask) {
    return poisonMessages.ask(
        id, alone -> unresponsiveInstances.watch(host.instance(), millis, ask.apply(alone)));
  }

  private static String joined(Host host, List<? extends Message> parts) {
    return host.instance()
        + " "
        + parts.stream().map(Codec::write).collect(Collectors.joining("\u001e"));
  }

  /** A peer of an older release knows no trials. */
  private CompletionStage<Message> askPeer(
      Host host, String kind, boolean alone, String body, int millis) {
    var node = host.node().orElseThrow();
    return links
        .ask(node, alone && directory.knowsTrials(node) ? kind + ALONE : kind, body, millis)
        .thenApply(CommandHandlers::delivered);
  }

  private CompletionStage<DecideMessage.Decided> decideHere(
      UUID instance, List<DecideMessage.Decide> parts, boolean alone) {
    return session(instance, parts.get(0).type())
        .map(session -> session.decide(parts, alone))
        .orElseGet(() -> CompletableFuture.failedStage(new NotSentException("no session")));
  }

  /**
   * Asks a host for a decision over several streams.
   *
   * @param parts one message, or several that bring its events
   * @return fails as {@link #decide} does
   */
  public CompletionStage<DecideMessage.BoundaryDecided> decideBoundary(
      Host host, List<DecideMessage.DecideBoundary> parts) {
    var last = parts.get(parts.size() - 1);
    return ask(
        host,
        last.id(),
        last.deadline(),
        alone ->
            host.node().isEmpty()
                ? decideBoundaryHere(host.instance(), parts, alone)
                : askPeer(
                        host, DECIDE_BOUNDARY, alone, joined(host, parts), parts.get(0).deadline())
                    .thenApply(DecideMessage.BoundaryDecided.class::cast));
  }

  private CompletionStage<DecideMessage.BoundaryDecided> decideBoundaryHere(
      UUID instance, List<DecideMessage.DecideBoundary> parts, boolean alone) {
    return session(instance, parts.get(0).type())
        .map(session -> session.decideBoundary(parts, alone))
        .orElseGet(() -> CompletableFuture.failedStage(new NotSentException("no session")));
  }

  private CompletionStage<String> decideBoundaryForPeer(String peer, String body, boolean alone) {
    var space = body.indexOf(' ');
    var parts = new ArrayList<DecideMessage.DecideBoundary>();
    for (var part : body.substring(space + 1).split("\u001e", -1)) {
      parts.add((DecideMessage.DecideBoundary) Codec.read(part));
    }
    return told(peer, decideBoundaryHere(UUID.fromString(body.substring(0, space)), parts, alone));
  }

  /**
   * Lets a host run a service's command.
   *
   * @param millis to wait for its end; the command's own deadline is when it must have begun
   * @return {@link ReplyMessage.Result} or {@link ReplyMessage.Fault}; fails as {@link #decide}
   *     does, with {@link NotSentException} where the service surely did not hear of it
   */
  CompletionStage<Message> run(Host host, CommandMessage.Command command, int millis) {
    var end =
        ask(
            host,
            command.id(),
            millis,
            alone ->
                host.node().isEmpty()
                    ? runHere(host.instance(), command, millis, alone)
                    : askPeer(
                        host,
                        RUN,
                        alone,
                        host.instance() + " " + millis + " " + Codec.write(command),
                        millis));
    // Its end is waited for beyond its caller's deadline, which is what its host is judged by.
    end.toCompletableFuture()
        .copy()
        .orTimeout(command.deadline(), TimeUnit.MILLISECONDS)
        .whenComplete(
            (answer, failure) -> {
              if (failure instanceof TimeoutException) {
                unresponsiveInstances.unanswered(host.instance(), command.deadline());
              }
            });
    return end;
  }

  private CompletionStage<Message> runHere(
      UUID instance, CommandMessage.Command command, int patience, boolean alone) {
    return session(instance, command.type())
        .map(session -> session.ask(command.id(), command, patience, alone))
        .orElseGet(() -> CompletableFuture.failedStage(new NotSentException("no session")))
        .exceptionally(failure -> refused(command.id(), failure));
  }

  /** What was refused before it was sent is told as the service would have told it. */
  private static Message refused(UUID command, Throwable failure) {
    if (Failures.cause(failure) instanceof EventoException refused) {
      return ReplyMessage.Fault.of(command, refused);
    }
    throw new CompletionException(Failures.cause(failure));
  }

  private Optional<BundleSession> session(UUID instance, String command) {
    return sessions.of(instance, command).stream()
        .min(java.util.Comparator.comparingInt(BundleSession::outstanding));
  }

  private CompletionStage<String> decideForPeer(String peer, String body, boolean alone) {
    var space = body.indexOf(' ');
    var parts = new ArrayList<DecideMessage.Decide>();
    for (var part : body.substring(space + 1).split("\u001e", -1)) {
      parts.add((DecideMessage.Decide) Codec.read(part));
    }
    return told(peer, decideHere(UUID.fromString(body.substring(0, space)), parts, alone));
  }

  private CompletionStage<String> runForPeer(String peer, String body, boolean alone) {
    var parts = body.split(" ", 3);
    var command = (CommandMessage.Command) Codec.read(parts[2]);
    return told(
        peer, runHere(UUID.fromString(parts[0]), command, Integer.parseInt(parts[1]), alone));
  }

  private CompletionStage<String> told(String peer, CompletionStage<? extends Message> answer) {
    return answer.handle(
        (message, failure) ->
            failure == null ? Codec.write(message) : word(failure, directory.knowsTrials(peer)));
  }

  /**
   * How a peer is told that no answer came.
   *
   * @param knowsTrials whether it understands that the session ended with the request
   */
  public static String word(Throwable failure, boolean knowsTrials) {
    var cause = Failures.cause(failure);
    if (cause instanceof NotSentException) {
      return NOT_DELIVERED;
    }
    return knowsTrials && cause instanceof SessionEndedException ended
        ? ended.wasAlone() ? ENDED + ALONE : ENDED
        : LOST;
  }

  /** What a peer said: a message, or one of those words. */
  public static Message delivered(String answer) {
    return switch (answer) {
      case NOT_DELIVERED -> throw new CompletionException(new NotSentException("not delivered"));
      case LOST -> throw new CompletionException(new SessionLostException("no answer came"));
      case ENDED -> throw new CompletionException(new SessionEndedException(false));
      case ENDED + ALONE -> throw new CompletionException(new SessionEndedException(true));
      default -> Codec.read(answer);
    };
  }
}
