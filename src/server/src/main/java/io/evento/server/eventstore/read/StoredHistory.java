package io.evento.server.eventstore.read;

import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.Tip;
import java.util.List;

/**
 * A part of a stream's events, for rebuilding a state.
 *
 * @param from state before the first of them
 * @param events in order; empty if nothing was written after {@code from}
 * @param tip state after the last of them
 * @param more whether others follow
 */
public record StoredHistory(Tip from, List<HistoryEvent> events, Tip tip, boolean more) {}
