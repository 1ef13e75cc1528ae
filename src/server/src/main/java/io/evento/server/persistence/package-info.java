/**
 * Connections, transactions, migrations and entity managers. Owns no table and takes no decision.
 * {@link io.evento.server.persistence.Database} runs units of work on the pool, and opens the
 * connections that a thread keeps; {@link io.evento.server.persistence.ConnectionFactory} finds the
 * primary among the hosts of the URL. Start reading at {@link
 * io.evento.server.persistence.Database}.
 *
 * <p>A node starts without its database and waits for it: nothing here fails the deployment. Every
 * unit of work may run twice (a connection that died under it is replaced once), so it has to be
 * repeatable.
 */
@NullMarked
package io.evento.server.persistence;

import org.jspecify.annotations.NullMarked;
