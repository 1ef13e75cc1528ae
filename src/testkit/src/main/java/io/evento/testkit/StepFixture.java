package io.evento.testkit;

import io.evento.protocol.RecordedEvent;
import io.evento.testkit.Payloads.Named;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What the fixtures of observers and sagas have in common: something happens, and commands follow.
 *
 * @param <F> the fixture itself
 */
public abstract sealed class StepFixture<F extends StepFixture<F>>
    permits ObserverFixture, SagaFixture {
  final Payloads payloads;
  final Journal journal;

  /** What the last happening led to. */
  final List<Named> sent = new ArrayList<>();

  Instant now = Journal.FIRST_TIME;
  private final List<String> contexts;

  /**
   * @param contexts whose events it is given; empty for all
   */
  StepFixture(Payloads payloads, String[] contexts) {
    this.payloads = payloads;
    this.contexts = List.of(contexts);
    journal = new Journal(payloads);
  }

  abstract F self();

  /** Whether a cluster would give it events of that context. */
  final boolean picks(RecordedEvent event) {
    return contexts.isEmpty() || contexts.contains(event.context());
  }

  /** Leaves out what would be checked without being asked. */
  public F without(Check... checks) {
    payloads.leaveOut(checks);
    return self();
  }

  /** It is this moment now. For a saga it is said before anything has happened. */
  public F at(Instant moment) {
    now = moment;
    return self();
  }

  /** A subject was erased: what is personal of it in what comes reads as placeholders. */
  public F givenErased(String subject) {
    payloads.erase(subject);
    return self();
  }

  /** It led to exactly these commands, in any order; without any: to none. */
  public F thenSends(Object... commands) {
    var wanted = Arrays.stream(commands).map(payloads::write).toList();
    if (!Named.areSame(wanted, sent)) {
      throw report("Other commands are sent.")
          .block("Expected", Named.shown(wanted))
          .block("Actual", Named.shown(sent))
          .failure();
    }
    return self();
  }

  final Report report(String sentence) {
    return new Report(sentence).block("Given", journal.told());
  }
}
