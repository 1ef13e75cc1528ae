package io.evento.server.routing.query;

import io.evento.protocol.Codec;
import io.evento.protocol.Correlation;
import io.evento.protocol.Message;
import io.evento.protocol.QueryMessage;
import io.evento.protocol.ReplyMessage;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import io.evento.server.routing.Failures;
import io.evento.server.routing.SessionLostException;
import io.evento.server.routing.command.CommandHandlers;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.routing.session.Directory;
import io.evento.server.routing.session.PoisonMessages;
import io.evento.server.routing.session.Sessions;
import io.evento.server.routing.session.UnresponsiveInstances;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Who answers a type of query, here and elsewhere, and how to ask one of them. A shadow's read
 * model is asked only where no other one is hosted.
 */
@NodeScoped
public class QueryHandlers {
  private static final String QUERY = "query";
  private static final String QUERY_ALONE = "query-alone";

  /**
   * One instance that can be asked, over a session here or through another node.
   *
   * @param session here; empty if it is elsewhere
   * @param remote elsewhere; empty if it is here
   */
  record Answerer(
      UUID instance, Optional<BundleSession> session, Optional<Directory.Remote> remote) {
    static Answerer here(BundleSession session) {
      return new Answerer(session.instance(), Optional.of(session), Optional.empty());
    }

    static Answerer there(Directory.Remote remote) {
      return new Answerer(remote.instance(), Optional.empty(), Optional.of(remote));
    }

    /** What of it can go away. */
    Object way() {
      return session.<Object>map(BundleSession::id).orElseGet(remote::orElseThrow);
    }
  }

  private final Sessions sessions;
  private final Directory directory;
  private final Links links;
  private final ShadowVersions shadowVersions;
  private final PoisonMessages poisonMessages;
  private final UnresponsiveInstances unresponsiveInstances;
  private final Map<Directory.Remote, AtomicInteger> askedElsewhere = new ConcurrentHashMap<>();

  @Inject
  public QueryHandlers(
      Sessions sessions,
      Directory directory,
      Links links,
      ShadowVersions shadowVersions,
      PoisonMessages poisonMessages,
      UnresponsiveInstances unresponsiveInstances) {
    this.sessions = sessions;
    this.directory = directory;
    this.links = links;
    this.shadowVersions = shadowVersions;
    this.poisonMessages = poisonMessages;
    this.unresponsiveInstances = unresponsiveInstances;
    links.answer(QUERY, (peer, body) -> onPeer(peer, body, false));
    links.answer(QUERY_ALONE, (peer, body) -> onPeer(peer, body, true));
  }

  /**
   * The one with the fewest requests under way, on this node if one is here.
   *
   * @param models of which its answer may come, as {@link #models} gives them; empty for any
   * @param failed ways that were just found to lead nowhere
   */
  Optional<Answerer> choose(String query, Set<String> models, Set<Object> failed) {
    return choose(query, models, failed, unresponsiveInstances::mayBeAsked, this::isNoShadow)
        .or(() -> choose(query, models, failed, instance -> true, this::isNoShadow))
        .or(() -> choose(query, models, failed, unresponsiveInstances::mayBeAsked, model -> true))
        .or(() -> choose(query, models, failed, instance -> true, model -> true));
  }

  private boolean isNoShadow(@Nullable String model) {
    return model == null || !shadowVersions.contains(model);
  }

  private Optional<Answerer> choose(
      String query,
      Set<String> models,
      Set<Object> failed,
      Predicate<UUID> mayBeAsked,
      Predicate<@Nullable String> isWanted) {
    var here =
        sessions.answering(query).stream()
            .filter(session -> !failed.contains(session.id()))
            .filter(session -> mayBeAsked.test(session.instance()))
            .filter(session -> fits(models, session.models().get(query)))
            .filter(session -> isWanted.test(session.models().get(query)))
            .min(Comparator.comparingInt(BundleSession::outstanding));
    if (here.isPresent()) {
      return here.map(Answerer::here);
    }
    return directory.answering(query).stream()
        .filter(remote -> !failed.contains(remote))
        .filter(remote -> mayBeAsked.test(remote.instance()))
        .filter(remote -> fits(models, directory.model(remote, query).orElse(null)))
        .filter(remote -> isWanted.test(directory.model(remote, query).orElse(null)))
        .min(Comparator.comparingInt(remote -> load(remote).get()))
        .map(Answerer::there);
  }

  private static boolean fits(Set<String> models, @Nullable String model) {
    return models.isEmpty()
        || (model != null
            && (models.contains(model)
                || (model.indexOf(':') < 0
                    && models.stream().anyMatch(m -> m.startsWith(model + ':')))));
  }

  /** Every instance once, by the shortest way. */
  Collection<Answerer> all(String query) {
    var found = new LinkedHashMap<UUID, Answerer>();
    for (var session : sessions.answering(query)) {
      found.putIfAbsent(session.instance(), Answerer.here(session));
    }
    for (var remote : directory.answering(query)) {
      found.putIfAbsent(remote.instance(), Answerer.there(remote));
    }
    return List.copyOf(found.values());
  }

  /** From whose read model it answers, such as {@code accounts:1}; empty if that is not known. */
  String model(Answerer answerer, String query) {
    return answerer
        .session()
        .map(session -> session.models().get(query))
        .or(() -> answerer.remote().flatMap(remote -> directory.model(remote, query)))
        .orElse("");
  }

  String bundle(Answerer answerer) {
    return answerer
        .session()
        .map(BundleSession::bundle)
        .or(() -> answerer.remote().flatMap(directory::bundle))
        .orElse("");
  }

  /**
   * The projectors, with their versions, that answers to a query may come from now: shadows only if
   * there is nothing else.
   */
  Set<String> models(String query) {
    var found = new TreeSet<String>();
    for (var answerer : all(query)) {
      found.addAll(models(answerer, query));
    }
    if (!found.stream().allMatch(shadowVersions::contains)) {
      found.removeIf(shadowVersions::contains);
    }
    return found;
  }

  /** The same for one: a projection that names no version may read any. */
  Set<String> models(Answerer answerer, String query) {
    var model = model(answerer, query);
    if (model.indexOf(':') > 0) {
      return Set.of(model);
    }
    return model.isEmpty() ? Set.of() : new TreeSet<>(versions(model));
  }

  private List<String> versions(String projector) {
    var found = new ArrayList<>(directory.versions(projector));
    sessions.all().stream()
        .flatMap(session -> session.consumers().stream())
        .filter(consumer -> consumer.startsWith(projector + ':'))
        .forEach(found::add);
    return found;
  }

  /**
   * Asks one.
   *
   * @param suspect under which id it is known what the question does to sessions: the same for all
   *     that are asked it
   * @return {@link ReplyMessage.Result} or {@link ReplyMessage.Fault}; fails with {@link
   *     SessionLostException} or a {@link io.evento.server.cluster.PeerLostException} where another
   *     may be asked, with {@code handler-failed} if the question has ended enough sessions
   */
  CompletionStage<Message> ask(Answerer answerer, QueryMessage.Query query, UUID suspect) {
    return poisonMessages.ask(
        suspect,
        alone ->
            unresponsiveInstances.watch(
                answerer.instance(), query.deadline(), ask(answerer, query, alone)));
  }

  /** The same question was answered: what it is asked under the same id next is judged anew. */
  void acquit(UUID suspect) {
    poisonMessages.acquit(suspect);
  }

  private CompletionStage<Message> ask(Answerer answerer, QueryMessage.Query query, boolean alone) {
    if (answerer.session().isPresent()) {
      return answerer.session().get().ask(query.id(), query, query.deadline(), alone);
    }
    var remote = answerer.remote().orElseThrow();
    var load = load(remote);
    load.incrementAndGet();
    return links
        .ask(
            remote.node(),
            alone && directory.knowsTrials(remote.node()) ? QUERY_ALONE : QUERY,
            remote.instance() + " " + Codec.write(query),
            query.deadline())
        .whenComplete(
            (answer, failure) -> {
              if (load.decrementAndGet() == 0) {
                askedElsewhere.remove(remote, load);
              }
            })
        .thenApply(CommandHandlers::delivered);
  }

  private AtomicInteger load(Directory.Remote remote) {
    return askedElsewhere.computeIfAbsent(remote, first -> new AtomicInteger());
  }

  private CompletionStage<String> onPeer(String peer, String body, boolean alone) {
    var space = body.indexOf(' ');
    var instance = body.substring(0, space);
    var query = (QueryMessage.Query) Codec.read(body.substring(space + 1));
    var session =
        sessions.answering(query.type()).stream()
            .filter(s -> s.instance().toString().equals(instance))
            .min(Comparator.comparingInt(BundleSession::outstanding));
    return session
        .map(s -> s.ask(query.id(), query, query.deadline(), alone))
        .orElseGet(() -> CompletableFuture.failedStage(new SessionLostException("no session")))
        .handle((answer, failure) -> told(peer, query, answer, failure));
  }

  private String told(
      String peer,
      QueryMessage.Query query,
      @Nullable Message answer,
      @Nullable Throwable failure) {
    if (failure == null) {
      return Codec.write(Objects.requireNonNull(answer));
    }
    var cause = Failures.cause(failure);
    return directory.knowsTrials(peer)
            && (cause instanceof SessionLostException || cause instanceof TimeoutException)
        ? CommandHandlers.word(failure, true)
        : Codec.write(
            ReplyMessage.Fault.of(query.id(), Failures.told(failure, Correlation.of(query))));
  }
}
