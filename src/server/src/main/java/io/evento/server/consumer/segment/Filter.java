package io.evento.server.consumer.segment;

import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.RecordedEvent;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.security.Reading;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which events a consumer is given, and under which sequence key.
 *
 * @param contexts empty for all
 * @param types empty for all
 * @param associations where each type has its key; empty where the key is the stream
 * @param steps whether it answers with steps, as sagas and observers do
 * @param reading what of all that its session may read
 */
public record Filter(
    Set<String> contexts,
    Set<String> types,
    Map<String, Association> associations,
    boolean steps,
    Reading reading) {
  public static final Filter ALL = new Filter(Set.of(), Set.of());

  Filter(Set<String> contexts, Set<String> types) {
    this(contexts, types, Map.of(), false, Reading.ALL);
  }

  /** The session's own: what it does not handle it is not given. */
  public static Filter of(BundleSession session, ConsumerId consumer) {
    var declared = Hosts.declaration(session, consumer);
    var consumes = declared.consumes();
    return consumes == null
        ? ALL
        : new Filter(
            Set.copyOf(consumes.contexts()),
            Set.copyOf(consumes.types()),
            consumes.associations().entrySet().stream()
                .collect(
                    Collectors.toUnmodifiableMap(
                        Map.Entry::getKey, entry -> new Association(entry.getValue()))),
            declared.kind() != ComponentKind.PROJECTOR,
            Reading.of(
                session.caller(),
                consumes.contexts().size() == 1 ? consumes.contexts().get(0) : null,
                List.of()));
  }

  public boolean accepts(RecordedEvent event) {
    return accepts(event.type(), event.context());
  }

  public boolean accepts(String type, String context) {
    return (types.isEmpty() || types.contains(type))
        && (contexts.isEmpty() || contexts.contains(context))
        && (associations.isEmpty() || associations.containsKey(type))
        && reading.allows(context, type);
  }

  /** No event of another type is accepted; empty if events of any may be. */
  public Set<String> typesNamed() {
    return isAssociated() && types.isEmpty() ? associations.keySet() : types;
  }

  /** Whether the key stands in the event, and is not its stream. */
  public boolean isAssociated() {
    return !associations.isEmpty();
  }

  /**
   * The sequence key of an event that is accepted.
   *
   * @return null if it has none, and so concerns nobody
   */
  @Nullable
  public String key(RecordedEvent event) {
    if (!isAssociated()) {
      return event.aggregate().type() + ':' + event.aggregate().id();
    }
    var association = associations.get(event.type());
    return association == null ? null : association.key(event);
  }

  /**
   * The slot of an event, be it accepted or not.
   *
   * @param ofStream slot of its stream
   * @return -1 if it has no key, and so concerns nobody
   */
  public int slot(RecordedEvent event, int ofStream) {
    if (!isAssociated()) {
      return ofStream;
    }
    var key = key(event);
    return key == null ? -1 : Slots.of(key);
  }
}
