/**
 * Who may do what. What always holds:
 *
 * <ol>
 *   <li>A {@link io.evento.server.security.Caller} is made here alone, from a credential that was
 *       valid when the request began; a session of a bundle ends when its credential does.
 *   <li>No secret is kept: of tokens, of people's sessions and of passwords there are hashes.
 *   <li>No request waits for the database to learn who its caller is: each node holds the valid
 *       credentials in memory, and answers nobody once it cannot tell whether they changed.
 * </ol>
 *
 * <p>Start reading at {@link io.evento.server.security.Grants}.
 */
@NullMarked
package io.evento.server.security;

import org.jspecify.annotations.NullMarked;
