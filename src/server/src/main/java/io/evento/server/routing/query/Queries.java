package io.evento.server.routing.query;

import io.evento.protocol.Correlation;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.LiveMessage;
import io.evento.protocol.Message;
import io.evento.protocol.QueryMessage;
import io.evento.protocol.ReplyMessage;
import io.evento.server.NodeScoped;
import io.evento.server.catalog.Catalog;
import io.evento.server.catalog.PayloadType;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.Failures;
import io.evento.server.routing.Fingerprint;
import io.evento.server.routing.PayloadLimits;
import io.evento.server.routing.session.Availability;
import io.evento.server.security.Caller;
import io.evento.server.security.Right;
import io.evento.server.security.Shares;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Kind;
import io.evento.server.telemetry.Metrics;
import io.evento.server.telemetry.Phase;
import io.evento.server.telemetry.Telemetry;
import io.micrometer.core.instrument.Timer;
import jakarta.inject.Inject;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/**
 * Brings a query to the projection with the fewest requests under way: on this node if one is here,
 * else through a node that has one. A query changes nothing, so one whose answer was lost is simply
 * asked elsewhere.
 */
@NodeScoped
public class Queries {
  private final Settings settings;
  private final Catalog catalog;
  private final Availability availability;
  private final QueryHandlers queryHandlers;
  private final ReadYourWrites readYourWrites;
  private final ScatterGather scatterGather;
  private final ShadowVersions shadowVersions;
  private final Shares shares;
  private final Timer latency;
  private final Telemetry telemetry;

  @Inject
  public Queries(
      Settings settings,
      Catalog catalog,
      Availability availability,
      QueryHandlers queryHandlers,
      ReadYourWrites readYourWrites,
      ScatterGather scatterGather,
      ShadowVersions shadowVersions,
      Shares shares,
      Metrics metrics) {
    this.settings = settings;
    this.catalog = catalog;
    this.availability = availability;
    this.queryHandlers = queryHandlers;
    this.readYourWrites = readYourWrites;
    this.scatterGather = scatterGather;
    this.shadowVersions = shadowVersions;
    this.shares = shares;
    latency = metrics.timer("evento_query_seconds", "from a query's arrival to its answer");
    telemetry = metrics.telemetry();
    telemetry.handlersBy(
        Kind.QUERY,
        type -> {
          var known = catalog.query(type);
          return known == null ? null : known.component();
        });
  }

  /**
   * @param caller who asks; its rights are looked at before anything is done
   * @return the view; fails with an {@link EventoException}, at the deadline at the latest
   */
  public CompletionStage<Json> ask(Caller caller, QueryMessage.Query query) {
    var arrived = System.nanoTime();
    var deadline = Deadline.in(query.deadline());
    try {
      shares.take(Shares.Of.REQUESTS, caller);
    } catch (EventoException refused) {
      return CompletableFuture.failedStage(refused);
    }
    var view = check(caller, query).thenCompose(ok -> answer(query, deadline, arrived));
    return view.handle(
        (answer, failure) -> {
          shares.giveBack(Shares.Of.REQUESTS, caller);
          var took = System.nanoTime() - arrived;
          latency.record(took, TimeUnit.NANOSECONDS);
          if (failure != null) {
            var told = Failures.told(failure, Correlation.of(query));
            telemetry.failed(Kind.QUERY, query.type(), told.code().wire(), took);
            throw told;
          }
          telemetry.done(Kind.QUERY, query.type(), took);
          return answer;
        });
  }

  /**
   * Whether a query can be asked at all, and by whom it is.
   *
   * @return fails with {@code invalid-request}, {@code payload-too-large}, {@code unknown-type},
   *     {@code forbidden} or {@code unavailable}
   */
  public CompletionStage<?> check(Caller caller, QueryMessage.Query query) {
    try {
      availability.check();
      PayloadLimits.checkSize(query.payload(), settings.get(Setting.PAYLOAD_BYTES_MAX));
      Fingerprint.of(query.type(), query.payload(), null);
      return declared(query.type())
          .thenAccept(found -> caller.require(Right.SEND, found.context(), query.type()));
    } catch (EventoException refused) {
      return CompletableFuture.failedStage(refused);
    }
  }

  /** The projector, with its version, that a query would be answered from now. */
  public Optional<String> model(String query) {
    var all = queryHandlers.models(query);
    return queryHandlers
        .choose(query, Set.of(), Set.of())
        .map(answerer -> queryHandlers.model(answerer, query))
        .filter(all::contains)
        .or(() -> all.stream().reduce((first, second) -> second));
  }

  /** Whether a query is answered from another version than this one since that is a shadow. */
  public boolean isOutdated(String query, String model) {
    return shadowVersions.contains(model)
        && model(query).filter(now -> !now.equals(model)).isPresent();
  }

  /**
   * Asks for an answer that says up to where the consumer is in it.
   *
   * @param query with {@link QueryMessage.Query#progress}
   * @param subscription for which it is asked, again and again
   */
  public CompletionStage<LiveMessage.View> askWithProgress(
      QueryMessage.Query query, String consumer, UUID subscription) {
    return find(query, Deadline.in(query.deadline()), Set.of(consumer), Set.of(), subscription)
        .thenApply(
            answer -> {
              // Asked for days, it is about at the ends of many bundles that were killed.
              queryHandlers.acquit(subscription);
              return answer instanceof LiveMessage.View told
                  ? told
                  : new LiveMessage.View(query.id(), 0, view(answer), List.of());
            });
  }

  private CompletionStage<PayloadType> declared(String type) {
    var known = catalog.query(type);
    if (known != null) {
      return CompletableFuture.completedStage(known);
    }
    return catalog
        .find(PayloadType.Kind.QUERY, type)
        .thenApply(found -> found.orElseThrow(() -> catalog.unknown(PayloadType.Kind.QUERY, type)));
  }

  private CompletionStage<Json> answer(QueryMessage.Query query, Deadline deadline, long arrived) {
    var gather = query.gather();
    return gather == null
        ? fresh(query, deadline)
            .thenCompose(
                models -> {
                  telemetry.took(
                      Kind.QUERY, query.type(), Phase.QUEUE, System.nanoTime() - arrived);
                  return find(query, deadline, models, Set.of(), query.id());
                })
            .thenApply(Queries::view)
        : scatterGather.ask(query, gather);
  }

  /**
   * Waits until a read model that can answer has seen what the caller has.
   *
   * @return of which projectors the answer may come then; empty for any
   */
  private CompletionStage<Set<String>> fresh(QueryMessage.Query query, Deadline deadline) {
    var after = query.after();
    if (after == null) {
      return CompletableFuture.completedStage(Set.of());
    }
    return readYourWrites
        .firstSeen(queryHandlers.models(query.type()), query.type(), after, deadline)
        .thenApply(Set::of);
  }

  /**
   * @param failed ways to answerers that were tried and lead nowhere any more
   * @param suspect as {@link QueryHandlers#ask} has it
   */
  private CompletionStage<Message> find(
      QueryMessage.Query query,
      Deadline deadline,
      Set<String> models,
      Set<Object> failed,
      UUID suspect) {
    if (deadline.isOver()) {
      return CompletableFuture.failedStage(
          new EventoException(ErrorCode.DEADLINE_EXCEEDED, "no answer in time"));
    }
    var chosen = queryHandlers.choose(query.type(), models, failed).orElse(null);
    if (chosen == null) {
      return CompletableFuture.failedStage(
          availability.noHandler("answers the query " + query.type()));
    }
    var asked = System.nanoTime();
    return queryHandlers
        .ask(chosen, query.toOne(deadline.millisLeft()), suspect)
        .thenApply(
            answer -> {
              telemetry.took(Kind.QUERY, query.type(), Phase.HANDLER, System.nanoTime() - asked);
              return answered(answer);
            })
        .exceptionallyCompose(
            failure -> {
              // A peer says unavailable where its session to the instance went away; an instance of
              // an older release says no-handler to a question of a newer version.
              var code =
                  Failures.isLost(failure)
                      ? ErrorCode.UNAVAILABLE
                      : Failures.told(failure, Correlation.of(query)).code();
              if (code != ErrorCode.UNAVAILABLE && code != ErrorCode.NO_HANDLER) {
                return CompletableFuture.failedStage(failure);
              }
              var now = new HashSet<>(failed);
              now.add(chosen.way());
              return find(query, deadline, models, now, suspect);
            });
  }

  private static Message answered(Message answer) {
    if (answer instanceof ReplyMessage.Fault fault) {
      throw fault.toException(null);
    }
    return answer;
  }

  static Json view(Message answer) {
    if (answered(answer) instanceof ReplyMessage.Result done) {
      var view = done.payload();
      return view == null ? Json.NULL : view;
    }
    throw new IllegalStateException("a bundle answered a query with " + answer.getClass());
  }
}
