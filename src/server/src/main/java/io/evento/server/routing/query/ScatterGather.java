package io.evento.server.routing.query;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.Codec;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.QueryMessage;
import io.evento.server.NodeScoped;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.Failures;
import io.evento.server.routing.query.QueryHandlers.Answerer;
import io.evento.server.routing.session.Availability;
import io.evento.server.routing.session.PoisonMessage;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Asks a query of several at once and gathers what they say. Who does not answer in time, or fails,
 * is named in the answer: it is never less than it says it is.
 */
@NodeScoped
public class ScatterGather {
  /** What is gathered has to be back before its asker gives up. */
  private static final int MARGIN_MAX_MILLIS = 100;

  /**
   * The first few are asked before all others, for so long or until one of them has answered or is
   * gone: what ends the sessions of whoever takes it shall not be given to all at once.
   */
  private static final int SAMPLE_MILLIS = 50;

  /** No cluster has so many; a wrong declaration might. */
  private static final int ANSWERERS_MAX = 1_000;

  /**
   * As it is answered.
   *
   * @param complete whether all that were asked have answered
   */
  private record Gathered(List<Answer> answers, List<Missing> missing, boolean complete) {}

  private record Answer(UUID instance, String bundle, String model, Json view) {}

  private record Missing(UUID instance, String bundle, String model, String code, String detail) {}

  /** One of {@code view} and {@code failure}. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  private record Said(Answerer who, @Nullable Json view, @Nullable EventoException failure) {}

  private final QueryHandlers queryHandlers;
  private final ReadYourWrites readYourWrites;
  private final Availability availability;

  @Inject
  public ScatterGather(
      QueryHandlers queryHandlers, ReadYourWrites readYourWrites, Availability availability) {
    this.queryHandlers = queryHandlers;
    this.readYourWrites = readYourWrites;
    this.availability = availability;
  }

  /**
   * @return {@code {"answers":[{"instance","bundle","model","view"}],
   *     "missing":[{"instance","bundle","model","code","detail"}],"complete":…}}; fails with {@code
   *     no-handler} if nobody answers the type at all
   */
  CompletionStage<Json> ask(QueryMessage.Query query, QueryMessage.Gather whom) {
    var asked = whom(query.type(), whom);
    if (asked.isEmpty() || asked.size() > ANSWERERS_MAX) {
      return CompletableFuture.failedStage(
          asked.isEmpty()
              ? availability.noHandler("answers the query " + query.type())
              : new EventoException(
                  ErrorCode.OVERLOADED, "more than " + ANSWERERS_MAX + " would have to answer"));
    }
    var millis = query.deadline() - Math.min(MARGIN_MAX_MILLIS, query.deadline() / 10);
    var deadline = Deadline.in(Math.max(1, millis));
    var answers = new ArrayList<CompletableFuture<Said>>();
    var sample = asked.stream().limit(PoisonMessage.SESSIONS).toList();
    sample.forEach(who -> answers.add(ask(query, who, deadline)));
    var isHarmless =
        CompletableFuture.anyOf(answers.toArray(CompletableFuture<?>[]::new))
            .completeOnTimeout(true, SAMPLE_MILLIS, TimeUnit.MILLISECONDS);
    asked.stream()
        .skip(PoisonMessage.SESSIONS)
        .forEach(who -> answers.add(isHarmless.thenCompose(any -> ask(query, who, deadline))));
    return CompletableFuture.allOf(answers.toArray(CompletableFuture<?>[]::new))
        .thenApply(
            all -> gathered(answers.stream().map(answer -> answer.getNow(null)).toList(), query));
  }

  private Collection<Answerer> whom(String query, QueryMessage.Gather whom) {
    var all = queryHandlers.all(query);
    if (whom == QueryMessage.Gather.INSTANCES) {
      return all;
    }
    var byModel = new LinkedHashMap<String, Answerer>();
    for (var answerer : all) {
      byModel.putIfAbsent(queryHandlers.model(answerer, query), answerer);
    }
    return byModel.values();
  }

  private CompletableFuture<Said> ask(QueryMessage.Query query, Answerer who, Deadline deadline) {
    if (deadline.isOver()) {
      return CompletableFuture.completedFuture(late(who)); // the first few took all the time
    }
    return fresh(query, who, deadline)
        .thenCompose(
            seen ->
                queryHandlers.ask(
                    who,
                    query.copy(UUID.randomUUID(), Math.max(1, deadline.millisLeft())),
                    query.id()))
        .thenApply(answer -> new Said(who, Queries.view(answer), null))
        .toCompletableFuture()
        .completeOnTimeout(late(who), deadline.millisLeft() + 1, TimeUnit.MILLISECONDS)
        .exceptionally(failure -> new Said(who, null, Failures.told(failure)));
  }

  private static Said late(Answerer who) {
    return new Said(
        who, null, new EventoException(ErrorCode.DEADLINE_EXCEEDED, "no answer in time"));
  }

  private CompletionStage<Void> fresh(QueryMessage.Query query, Answerer who, Deadline deadline) {
    var after = query.after();
    return after == null
        ? CompletableFuture.completedStage(null)
        : readYourWrites
            .firstSeen(queryHandlers.models(who, query.type()), query.type(), after, deadline)
            .thenAccept(model -> {});
  }

  private Json gathered(List<Said> all, QueryMessage.Query query) {
    var answers = new ArrayList<Answer>();
    var missing = new ArrayList<Missing>();
    for (var said : all) {
      var instance = said.who.instance();
      var bundle = queryHandlers.bundle(said.who);
      var model = queryHandlers.model(said.who, query.type());
      var failure = said.failure;
      if (said.view != null) {
        answers.add(new Answer(instance, bundle, model, said.view));
      } else if (failure != null) {
        missing.add(new Missing(instance, bundle, model, failure.code().wire(), failure.detail()));
      }
    }
    return new Json(Codec.text(new Gathered(answers, missing, missing.isEmpty())));
  }
}
