package io.evento.server.eventstore.append;

import io.evento.server.eventstore.StorePosition;
import org.jspecify.annotations.Nullable;

/**
 * What a node knows of its store: enough to tell that another one is older.
 *
 * @param seen the last position known, of the newest epoch known
 * @param system PostgreSQL's system identifier; null if it is not known
 * @param timeline the highest one known of that system, in eight hexadecimal digits; null if none
 *     is, and then no store with less can prove that it was promoted
 */
record StoreMemory(StorePosition seen, @Nullable Long system, @Nullable String timeline) {
  StoreMemory at(long position) {
    return new StoreMemory(seen.at(position), system, timeline);
  }
}
