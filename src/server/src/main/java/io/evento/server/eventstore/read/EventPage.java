package io.evento.server.eventstore.read;

import io.evento.protocol.RecordedEvent;
import io.evento.server.security.Reading;
import java.util.List;

/**
 * A page of events.
 *
 * @param events in the order asked for; fewer than asked for, even none, does not mean the end
 * @param upTo last position looked at, for a stream last version: what to go on after (or before)
 * @param end whether there was nothing further when this was read
 */
public record EventPage(List<RecordedEvent> events, long upTo, boolean end) {
  /** The same without what its reader may not read. */
  public EventPage readable(Reading reading) {
    return reading.isAll()
        ? this
        : new EventPage(
            events.stream().filter(event -> reading.allows(event.context(), event.type())).toList(),
            upTo,
            end);
  }
}
