package io.evento.server.routing;

import io.evento.protocol.Codec;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.server.NodeScoped;
import io.evento.server.catalog.Catalog;
import io.evento.server.catalog.PayloadType;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Setting;
import io.evento.server.cluster.Settings;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Timer;
import jakarta.inject.Inject;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Brings a query to the projection with the fewest requests under way: on this node if one is here,
 * else through a node that has one. A query changes nothing, so one whose answer was lost is simply
 * asked elsewhere.
 */
@NodeScoped
public class Queries {
  private static final String QUERY = "query";

  private final Settings settings;
  private final Catalog catalog;
  private final Availability availability;
  private final Sessions sessions;
  private final Directory directory;
  private final Links links;
  private final Map<Directory.Remote, AtomicInteger> askedElsewhere = new ConcurrentHashMap<>();
  private final Timer latency;

  @Inject
  public Queries(
      Settings settings,
      Catalog catalog,
      Availability availability,
      Sessions sessions,
      Directory directory,
      Links links,
      Metrics metrics) {
    this.settings = settings;
    this.catalog = catalog;
    this.availability = availability;
    this.sessions = sessions;
    this.directory = directory;
    this.links = links;
    latency = metrics.timer("evento_query_seconds", "from a query's arrival to its answer");
    links.answer(QUERY, this::onPeer);
  }

  /**
   * @return the view; fails with an {@link EventoException}, at the deadline at the latest
   */
  public CompletionStage<Json> ask(Message.Query query) {
    var arrived = System.nanoTime();
    var deadline = Deadline.in(query.deadline());
    CompletionStage<Json> view;
    try {
      availability.check();
      Payloads.checkSize(query.payload(), settings.get(Setting.PAYLOAD_BYTES_MAX));
      Fingerprint.of(query.type(), query.payload(), null);
      view = declared(query.type()).thenCompose(ok -> find(query, deadline, Set.of()));
    } catch (EventoException refused) {
      view = CompletableFuture.failedStage(refused);
    }
    return view.handle(
        (answer, failure) -> {
          latency.record(System.nanoTime() - arrived, TimeUnit.NANOSECONDS);
          if (failure != null) {
            throw Failures.told(failure);
          }
          return answer;
        });
  }

  private CompletionStage<PayloadType> declared(String type) {
    var known = catalog.query(type);
    if (known != null) {
      return CompletableFuture.completedStage(known);
    }
    return catalog
        .find(PayloadType.Kind.QUERY, type)
        .thenApply(
            found ->
                found.orElseThrow(
                    () ->
                        new EventoException(
                            ErrorCode.UNKNOWN_TYPE, "no bundle ever declared a query " + type)));
  }

  /**
   * @param failed sessions' and instances' identities that were asked and went away
   */
  private CompletionStage<Json> find(Message.Query query, Deadline deadline, Set<Object> failed) {
    if (deadline.isOver()) {
      return CompletableFuture.failedStage(
          new EventoException(ErrorCode.DEADLINE_EXCEEDED, "no answer in time"));
    }
    var asked =
        new Message.Query(
            query.id(),
            query.type(),
            query.payloadVersion(),
            deadline.millisLeft(),
            query.trace(),
            query.payload());
    var here =
        sessions.answering(query.type()).stream()
            .filter(session -> !failed.contains(session.id()))
            .min(Comparator.comparingInt(BundleSession::outstanding));
    if (here.isPresent()) {
      return here.get()
          .ask(query.id(), asked, asked.deadline())
          .thenApply(Queries::view)
          .exceptionallyCompose(
              failure -> elsewhere(failure, query, deadline, failed, here.get().id()));
    }
    var there =
        directory.answering(query.type()).stream()
            .filter(remote -> !failed.contains(remote))
            .min(Comparator.comparingInt(remote -> load(remote).get()));
    if (there.isEmpty()) {
      return CompletableFuture.failedStage(
          new EventoException(
              ErrorCode.NO_HANDLER, "no live session answers the query " + query.type()));
    }
    var load = load(there.get());
    load.incrementAndGet();
    return links
        .ask(
            there.get().node(),
            QUERY,
            there.get().instance() + " " + Codec.write(asked),
            asked.deadline())
        .whenComplete(
            (answer, failure) -> {
              if (load.decrementAndGet() == 0) {
                askedElsewhere.remove(there.get(), load);
              }
            })
        .thenApply(answer -> view(Codec.read(answer)))
        .exceptionallyCompose(failure -> elsewhere(failure, query, deadline, failed, there.get()));
  }

  private CompletionStage<Json> elsewhere(
      Throwable failure, Message.Query query, Deadline deadline, Set<Object> failed, Object asked) {
    // A peer says unavailable where its session to the instance went away; an instance of an older
    // release says no-handler to a question of a newer version.
    var code = Failures.isLost(failure) ? ErrorCode.UNAVAILABLE : Failures.told(failure).code();
    if (code != ErrorCode.UNAVAILABLE && code != ErrorCode.NO_HANDLER) {
      return CompletableFuture.failedStage(failure);
    }
    var now = new HashSet<>(failed);
    now.add(asked);
    return find(query, deadline, now);
  }

  private AtomicInteger load(Directory.Remote remote) {
    return askedElsewhere.computeIfAbsent(remote, first -> new AtomicInteger());
  }

  private static Json view(Message answer) {
    if (answer instanceof Message.Result done) {
      var view = done.payload();
      return view == null ? Json.NULL : view;
    }
    if (answer instanceof Message.Fault fault) {
      throw fault.toException(null);
    }
    throw new IllegalStateException("a bundle answered a query with " + answer.getClass());
  }

  private CompletionStage<String> onPeer(String peer, String body) {
    var space = body.indexOf(' ');
    var instance = body.substring(0, space);
    var query = (Message.Query) Codec.read(body.substring(space + 1));
    var session =
        sessions.answering(query.type()).stream()
            .filter(s -> s.instance().toString().equals(instance))
            .min(Comparator.comparingInt(BundleSession::outstanding));
    return session
        .map(s -> s.ask(query.id(), query, query.deadline()))
        .orElseGet(() -> CompletableFuture.failedStage(new SessionLostException("no session")))
        .handle(
            (answer, failure) ->
                Codec.write(
                    failure == null
                        ? answer
                        : Message.Fault.of(query.id(), Failures.told(failure))));
  }
}
