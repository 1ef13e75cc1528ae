package io.evento.testkit;

import io.evento.bundle.dispatch.Components;
import java.util.List;

/**
 * An aggregate under test: events or commands given, then a command, then what must follow. The
 * same fixture may begin any number of histories.
 *
 * @param <S> the aggregate's record
 */
public final class AggregateFixture<S extends Record> {
  private final Class<S> aggregate;
  private final Payloads payloads = new Payloads();
  private final Components components;

  private AggregateFixture(Class<S> aggregate) {
    this.aggregate = aggregate;
    this.components = Components.of(List.of(aggregate), payloads.mapper(), false);
  }

  /**
   * @param aggregate a record with {@link io.evento.bundle.api.Aggregate}
   * @throws io.evento.bundle.api.InvalidBundleException if no bundle could start with it
   */
  public static <S extends Record> AggregateFixture<S> of(Class<S> aggregate) {
    return new AggregateFixture<>(aggregate);
  }

  /** Leaves out what would be checked without being asked. */
  public AggregateFixture<S> without(Check... checks) {
    payloads.leaveOut(checks);
    return this;
  }

  /** Nothing has happened yet. */
  public AggregateHistory<S> givenNothing() {
    return new AggregateHistory<>(aggregate, components, payloads);
  }

  /**
   * These events are stored.
   *
   * @param events of this aggregate, in order: records, or {@link Stored} ones of old versions
   */
  public AggregateHistory<S> given(Object... events) {
    return givenNothing().and(events);
  }

  /**
   * These commands were sent and accepted.
   *
   * @param commands to one and the same aggregate, in order
   */
  public AggregateHistory<S> givenCommands(Object... commands) {
    return givenNothing().andCommands(commands);
  }
}
