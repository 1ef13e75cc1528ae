/**
 * What bundles declared: components and payload types.
 *
 * <ol>
 *   <li>A command or query type has one owning component in the whole cluster; the table's key
 *       decides, not this node's memory.
 *   <li>Before a type is called unknown, the database was asked.
 * </ol>
 *
 * <p>Owns the tables {@code component} and {@code payload}. Start reading at {@link
 * io.evento.server.catalog.Catalog}.
 */
@NullMarked
package io.evento.server.catalog;

import org.jspecify.annotations.NullMarked;
