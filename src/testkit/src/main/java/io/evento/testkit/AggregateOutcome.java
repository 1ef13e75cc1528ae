package io.evento.testkit;

import org.jspecify.annotations.Nullable;

/**
 * What a command to an aggregate came to.
 *
 * @param <S> the aggregate's record
 */
public final class AggregateOutcome<S extends Record> extends DecisionOutcome<AggregateOutcome<S>> {
  private final Class<S> aggregate;
  private final @Nullable S state;

  AggregateOutcome(
      Class<S> aggregate, Payloads payloads, Given given, Decision decision, @Nullable S state) {
    super(payloads, given, decision);
    this.aggregate = aggregate;
    this.state = state;
  }

  @Override
  AggregateOutcome<S> self() {
    return this;
  }

  /** The state afterwards, as its events tell it. */
  public AggregateOutcome<S> thenState(S expected) {
    if (state == null) {
      throw given
          .report("There is no " + aggregate.getSimpleName() + " afterwards.")
          .block("Expected", shown(expected))
          .failure();
    }
    if (!state.equals(expected)) {
      throw given
          .report("The state is another one.")
          .block("Expected", shown(expected))
          .block("Actual", shown(state))
          .failure();
    }
    return this;
  }

  private String shown(S shown) {
    return Payloads.show(aggregate.getSimpleName(), payloads.value(shown));
  }
}
