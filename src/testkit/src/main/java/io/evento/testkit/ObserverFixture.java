package io.evento.testkit;

import io.evento.bundle.api.Observer;
import io.evento.bundle.api.Reaction;
import io.evento.bundle.dispatch.Components;
import io.evento.bundle.dispatch.Hosted;
import io.evento.bundle.dispatch.ObserverType;
import io.evento.testkit.Payloads.Named;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An observer under test: an event comes, and commands follow.
 *
 * <pre>{@code
 * ObserverFixture.of(new LargeDeposit(10_000))
 *     .when(Account.class, "a-1", new MoneyDeposited(10_000, "inheritance"))
 *     .thenSends(new NotifyCompliance("a-1", 10_000, 1));
 * }</pre>
 *
 * <p>Each event comes twice, as it may after a crash, and must lead to the same commands. Positions
 * count up from 1.
 */
public final class ObserverFixture extends StepFixture<ObserverFixture> {
  private static final long STAGE_MAX_SECONDS = 10;

  private final ObserverType observer;

  private ObserverFixture(Payloads payloads, Object observer, Observer annotation) {
    super(payloads, annotation.context());
    var components = Components.of(List.of(observer), payloads.mapper(), false);
    this.observer = components.observers().values().iterator().next();
  }

  /**
   * @param observer with {@link Observer}
   * @throws io.evento.bundle.api.InvalidBundleException if no bundle could start with it
   */
  public static ObserverFixture of(Object observer) {
    var annotation = Hosted.typeOf(observer).getAnnotation(Observer.class);
    if (annotation == null) {
      throw new IllegalArgumentException(observer.getClass().getName() + " is no @Observer");
    }
    return new ObserverFixture(new Payloads(), observer, annotation);
  }

  @Override
  ObserverFixture self() {
    return this;
  }

  /**
   * An event was stored. It is kept from the observer where a cluster would do so: if the observer
   * does not pick its context or handles no such type.
   *
   * @param aggregate whose event it is: its class, or that of a boundary
   * @param id of the aggregate
   */
  public ObserverFixture when(Class<? extends Record> aggregate, String id, Object event) {
    var recorded = journal.record(aggregate, id, event, now);
    sent.clear();
    if (!picks(recorded)) {
      return this;
    }
    var metadata = Journal.metadata(recorded);
    Handler handler =
        () ->
            observer.onEvent(
                recorded.type(), recorded.payloadVersion(), recorded.payload(), metadata);
    sent.addAll(call(handler));
    if (payloads.checks(Check.REPEAT)) {
      var again = call(handler);
      if (!Named.areSame(sent, again)) {
        throw report("The same event led to other commands when it came again.")
            .block("First", Named.shown(sent))
            .block("Then", Named.shown(again))
            .failure();
      }
    }
    return this;
  }

  private interface Handler {
    @Nullable Object call() throws Throwable;
  }

  private List<Named> call(Handler handler) {
    try {
      var returned = handler.call();
      if (returned instanceof CompletionStage<?> stage) {
        returned = stage.toCompletableFuture().get(STAGE_MAX_SECONDS, TimeUnit.SECONDS);
      }
      return Reaction.of(returned).commands().stream().map(payloads::write).toList();
    } catch (Throwable failure) {
      throw new AssertionError(report("The observer failed: " + failure).toString(), failure);
    }
  }
}
