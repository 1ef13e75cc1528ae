package io.evento.testkit;

import io.evento.bundle.dispatch.Components;
import io.evento.bundle.dispatch.HandlerRunner;
import io.evento.bundle.payload.PayloadType;
import io.evento.protocol.DecideMessage.BoundaryDecided;
import io.evento.protocol.DecideMessage.Criterion;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.testkit.DecisionOutcome.Decision;
import io.evento.testkit.Payloads.Named;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A boundary under test: events given, whichever component stored them, then a command, then what
 * must follow. The command is decided on those of the events that its criteria match, as in a
 * cluster.
 *
 * <pre>{@code
 * BoundaryFixture.of(Nickname.class)
 *     .given(new NicknameChosen("a-1", "ada"))
 *     .when(new ChooseNickname("a-2", "ada"))
 *     .thenRejected("nickname-taken");
 * }</pre>
 *
 * <p>The same fixture may begin any number of histories.
 *
 * @param <S> the boundary's record
 */
public final class BoundaryFixture<S extends Record> {
  private static final int DEADLINE_MILLIS = 10_000;

  private final Class<S> boundary;
  private final Payloads payloads = new Payloads();
  private final Components components;

  private BoundaryFixture(Class<S> boundary) {
    this.boundary = boundary;
    this.components = Components.of(List.of(boundary), payloads.mapper(), false);
  }

  /**
   * @param boundary a record with {@link io.evento.bundle.api.Boundary}
   * @throws io.evento.bundle.api.InvalidBundleException if no bundle could start with it
   */
  public static <S extends Record> BoundaryFixture<S> of(Class<S> boundary) {
    return new BoundaryFixture<>(boundary);
  }

  /** Leaves out what would be checked without being asked. */
  public BoundaryFixture<S> without(Check... checks) {
    payloads.leaveOut(checks);
    return this;
  }

  /** Nothing has happened yet. */
  public History givenNothing() {
    return new History();
  }

  /**
   * These events are stored.
   *
   * @param events of whichever component, in order: records, or {@link Stored} ones of old versions
   */
  public History given(Object... events) {
    return givenNothing().and(events);
  }

  /** What has happened until now. */
  public final class History {
    private final List<Named> events = new ArrayList<>();
    private final List<List<String>> tags = new ArrayList<>();

    private History() {}

    /** Then these events were stored. */
    public History and(Object... more) {
      for (var event : more) {
        events.add(payloads.write(event));
        tags.add(payloads.tags(event));
      }
      return this;
    }

    /**
     * Then a subject was erased: what is personal of it in all that was stored reads as
     * placeholders. It stays erased for the whole fixture.
     */
    public History andErased(String subject) {
      payloads.erase(subject);
      return this;
    }

    /** A command comes. The history stays as it is: another command may be tried on it. */
    public BoundaryOutcome when(Object command) {
      return when(command, Map.of());
    }

    /**
     * @param metadata that comes with the command
     */
    public BoundaryOutcome when(Object command, Map<String, ?> metadata) {
      var asked = payloads.write(command);
      var given = new Given(Named.shown(events), Payloads.show(asked.type(), asked.json()));
      var decided = decide(asked, metadata);
      if (payloads.checks(Check.REPEAT) && decided.failure() == null) {
        given.checkRepeat(outcome(decided).shown(), outcome(decide(asked, metadata)).shown());
      }
      return new BoundaryOutcome(payloads, given, outcome(decided));
    }

    private BoundaryDecided decide(Named command, Map<String, ?> metadata) {
      var handlerRunner = new HandlerRunner(components);
      try {
        var asked = handlerRunner.decideBoundary(ask(command, metadata, List.of(), List.of()));
        return asked.unread()
            ? handlerRunner.decideBoundary(
                ask(command, metadata, asked.criteria(), read(asked.criteria())))
            : asked;
      } catch (Exception failure) {
        throw new AssertionError("the handler gave no answer: " + failure, failure);
      }
    }

    private List<HistoryEvent> read(List<Criterion> criteria) {
      var read = new ArrayList<HistoryEvent>();
      for (var i = 0; i < events.size(); i++) {
        var event = events.get(i);
        var carried = tags.get(i);
        if (criteria.stream().anyMatch(one -> matches(one, event.type(), carried))) {
          read.add(new HistoryEvent(event.type(), event.version(), payloads.stored(event, null)));
        }
      }
      return read;
    }

    private static boolean matches(Criterion criterion, String type, List<String> tags) {
      return (criterion.types().isEmpty() || criterion.types().contains(type))
          && tags.containsAll(criterion.tags());
    }
  }

  private Decision outcome(BoundaryDecided decided) {
    var events =
        decided.events().stream()
            .map(
                event ->
                    payloads.given(event.type(), event.payloadVersion(), event.payload(), null))
            .toList();
    return new Decision(
        events, payloads.opened(decided.value()), decided.rejection(), decided.failure());
  }

  private DecideBoundary ask(
      Named command, Map<String, ?> metadata, List<Criterion> criteria, List<HistoryEvent> events) {
    return new DecideBoundary(
        new UUID(0, 1),
        command.type(),
        1,
        PayloadType.nameOf(boundary),
        "",
        criteria,
        0,
        events,
        false,
        DEADLINE_MILLIS,
        null,
        metadata.isEmpty() ? null : payloads.value(metadata),
        payloads.stored(command, aggregateId(command)));
  }

  /** The stream that a command names, which its personal components may be of. */
  private @Nullable String aggregateId(Named command) {
    var type = payloads.mapper().named(command.type());
    var property = type == null ? null : type.idProperty();
    var id = property == null ? null : Payloads.tree(command.json()).get(property);
    return id == null || id.isNull() ? null : id.asText();
  }
}
