/**
 * What operators read and change, over JPA. May read every room; no room knows it.
 *
 * <p>Start reading at {@link io.evento.server.console.NodeResource}.
 */
@NullMarked
package io.evento.server.console;

import org.jspecify.annotations.NullMarked;
