/**
 * What bundles declared: components and payload types.
 *
 * <ol>
 *   <li>A command or query type has one owning component in the whole cluster; the table's key
 *       decides, not this node's memory.
 *   <li>A component belongs to one bundle, that which declared it first or to which an operator
 *       handed it over, and is declared in the contexts that were allowed; the table decides.
 *   <li>Each change of a declaration or an owner is kept.
 *   <li>Before a type is called unknown, the database was asked.
 * </ol>
 *
 * <p>Owns the tables {@code component}, {@code component_owner}, {@code component_history}, {@code
 * payload} and {@code payload_version}. Start reading at {@link io.evento.server.catalog.Catalog}.
 */
@NullMarked
package io.evento.server.catalog;

import org.jspecify.annotations.NullMarked;
