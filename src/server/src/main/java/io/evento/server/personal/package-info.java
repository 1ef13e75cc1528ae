/**
 * The keys of subjects of personal data, and who was erased. What always holds:
 *
 * <ol>
 *   <li>Nothing personal is read here: values are encrypted and read in the bundles.
 *   <li>No key leaves this room but to a bundle's session, and none is kept but wrapped by a master
 *       key that is in no database.
 *   <li>A subject that was erased once has no key again: not by a bundle that writes at the same
 *       moment, as making a key and erasing exclude each other by a lock of the database, and not
 *       by a restore, as each node asks its own list before it asks the table.
 *   <li>Whoever is erased is told in an event, once for each life of the store.
 * </ol>
 *
 * <p>Knows routing and what is below. Owns the tables subject_key and erasure. Start reading at
 * {@link io.evento.server.personal.Erasures}.
 */
@NullMarked
package io.evento.server.personal;

import org.jspecify.annotations.NullMarked;
