package io.evento.testkit;

/** What a command to a boundary came to. */
public final class BoundaryOutcome extends DecisionOutcome<BoundaryOutcome> {
  BoundaryOutcome(Payloads payloads, Given given, Decision decision) {
    super(payloads, given, decision);
  }

  @Override
  BoundaryOutcome self() {
    return this;
  }
}
