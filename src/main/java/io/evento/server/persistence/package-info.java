/**
 * Connections, transactions, migrations and entity managers. Owns no table and takes no decision.
 *
 * <p>A node starts without its database and waits for it: nothing here fails the deployment. Every
 * unit of work may run twice (a connection that died under it is replaced once), so it has to be
 * repeatable.
 */
@NullMarked
package io.evento.server.persistence;

import org.jspecify.annotations.NullMarked;
