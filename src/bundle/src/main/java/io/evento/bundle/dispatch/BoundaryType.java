package io.evento.bundle.dispatch;

import io.evento.bundle.api.Criteria;
import io.evento.bundle.dispatch.AggregateType.Applier;
import io.evento.bundle.dispatch.AggregateType.Decider;
import io.evento.bundle.payload.PayloadType;
import io.evento.protocol.DecideMessage.Criterion;
import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.EventType;
import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A boundary as its class defines it.
 *
 * @param rules who decides and who applies, as in an aggregate
 * @param initial who makes the state before any event, by name of the command's type
 * @param reads who says what a command rests on, by name of the command's type; where nobody does,
 *     its tags say it
 */
record BoundaryType(AggregateType rules, Map<String, Handler> initial, Map<String, Handler> reads) {

  String name() {
    return rules.name();
  }

  @Nullable Decider decider(String command) {
    return rules.commands().get(command);
  }

  /**
   * The state before any event, null where events make it.
   *
   * @throws Throwable whatever the user's method throws
   */
  @Nullable Object initial(Decider decider, Object command) throws Throwable {
    var maker = initial.get(decider.payload().name());
    return maker == null ? null : maker.call(null, command, null, null);
  }

  /**
   * What a command's decision rests on, in an order that is the same for the same criteria.
   *
   * @throws Throwable whatever the user's method throws
   */
  List<Criterion> criteria(Decider decider, Object command) throws Throwable {
    var said = reads.get(decider.payload().name());
    var criteria =
        said == null
            ? byTags(decider.payload(), command)
            : (Criteria) said.call(null, command, null, null);
    if (criteria == null) {
      throw new IllegalStateException(
          "nothing says what " + decider.payload().name() + " rests on");
    }
    var found = new LinkedHashSet<Criterion>();
    for (var item : criteria.items()) {
      item.tags().forEach(tag -> Names.checkTag("", tag));
      var tags = new TreeSet<>(item.tags());
      found.add(new Criterion(List.copyOf(types(item)), List.copyOf(tags)));
    }
    return List.copyOf(found);
  }

  private static @Nullable Criteria byTags(PayloadType command, Object value) {
    Criteria all = null;
    for (var tag : command.tags(value)) {
      var one = new Criteria(List.of(new Criteria.Item(List.of(tag), List.of())));
      all = all == null ? one : all.or(one);
    }
    if (all == null) {
      throw EventoException.invalid("", "must have a value for one of its tags");
    }
    return all;
  }

  private TreeSet<String> types(Criteria.Item item) {
    var types = new TreeSet<String>();
    for (var type : item.types()) {
      var applier = rules.events().get(type);
      if (applier == null) {
        throw new IllegalStateException(
            "the criteria name "
                + type.getSimpleName()
                + ", which nothing of "
                + name()
                + " applies");
      }
      types.add(applier.payload().name());
    }
    if (item.types().isEmpty()) {
      var keys = item.tags().stream().map(tag -> tag.split(":", 2)[0]).toList();
      for (var applier : rules.events().values()) {
        if (applier.payload().tagKeys().containsAll(keys)) {
          types.add(applier.payload().name());
        }
      }
    }
    if (types.isEmpty()) {
      throw new IllegalStateException(
          "no event that " + name() + " applies has all the tags " + item.tags());
    }
    return types;
  }

  /**
   * Which stream of this boundary a decision's events go to.
   *
   * @return its id, 1 to 200 characters
   */
  String stream(Decider decider, Object command, List<Criterion> criteria, String commandId) {
    var own = decider.payload().aggregateId(command);
    if (own != null && !own.isEmpty()) {
      return own;
    }
    var tags = new TreeSet<String>();
    criteria.forEach(criterion -> tags.addAll(criterion.tags()));
    var joined = String.join(",", tags);
    return joined.length() <= Names.AGGREGATE_ID_MAX ? joined : commandId;
  }

  Component declared() {
    var commands = new ArrayList<CommandType>();
    for (var decider : rules.commands().values()) {
      var command = decider.payload();
      commands.add(
          new CommandType(command.name(), command.subjectProperty(), command.requestSchema()));
    }
    var events = new ArrayList<EventType>();
    for (Applier applier : rules.events().values()) {
      var event = applier.payload();
      events.add(new EventType(event.name(), event.version(), event.schema()));
    }
    return new Component(
        ComponentKind.BOUNDARY,
        name(),
        0,
        rules.context(),
        commands,
        events,
        List.of(),
        null,
        null);
  }
}
