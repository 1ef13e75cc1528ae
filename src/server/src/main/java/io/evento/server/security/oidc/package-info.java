/**
 * Signing in by an OpenID provider: authorization code with PKCE. What always holds:
 *
 * <ol>
 *   <li>Nobody is let in but by an ID token that the provider signed for this cluster and for the
 *       very attempt that this browser began, and not by what the browser says.
 *   <li>No node keeps an attempt: all of it is in the browser's cookie, so any node takes the
 *       return.
 *   <li>The provider is strange ground: what it answers is bounded in size and time, it redirects
 *       nobody, and its text is neither logged nor told.
 * </ol>
 *
 * <p>Start reading at {@link io.evento.server.security.oidc.OidcSignIns}.
 */
@NullMarked
package io.evento.server.security.oidc;

import org.jspecify.annotations.NullMarked;
